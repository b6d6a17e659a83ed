import { usePolled } from '../api/poll.ts'

interface Readiness {
  warnings: string[]
}

const everyMs = 60_000
const readiness = { url: '/readyz', about: undefined }

/** What makes the numbers of this installation wrong or incomplete until an operator acts. */
export function Warnings() {
  const { response } = usePolled<Readiness>(readiness, { everyMs })
  return (
    <div role="status">
      {response?.data.warnings.map(warning => (
        <p key={warning} class="banner warning">
          {warning}
        </p>
      ))}
    </div>
  )
}
