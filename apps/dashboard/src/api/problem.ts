import type { ProblemDocument } from '../../../api/errors/problem-schema.ts'

/** Why a request failed: a problem reported by the API (RFC 9457), or one on the way to it. */
export interface Problem {
  /** 0: the API has not responded. */
  status: number
  detail: string
  /** Problems with single fields. */
  fields: { name: string; detail: string }[]
  /** For a range that is too long for filters: the first day of raw visits. */
  earliest?: string | undefined
  /** For the same, a range that should be possible. */
  longest?: { from: string; to: string } | undefined
}

const onTheWay = (detail: string): Problem => ({ status: 0, detail, fields: [] })

export const unreachable = onTheWay('The server can’t be reached.')
export const tooLate = onTheWay('The server doesn’t respond.')
/** A proxy, or a network that wants its users to sign in, responded in place of the API, possibly with 200 or 404. */
export const foreign = ({ status }: Response) =>
  onTheWay(`Something other than the server responded, with status ${status}.`)

export async function readProblem(response: Response): Promise<Problem> {
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) return foreign(response)
  const document = (await response.json()) as Partial<ProblemDocument>
  return {
    status: response.status,
    detail: document.detail ?? `The server responded with status ${response.status}.`,
    fields: (document.errors ?? []).map(({ pointer, detail }) => ({
      name: pointer.replace(/^#?\//, ''),
      detail,
    })),
    earliest: document.earliest,
    longest: document.longest,
  }
}

/** True if the same request would fail again, because it is impossible. */
export function isRefusal({ status }: Problem): boolean {
  return status >= 400 && status < 500 && status !== 429
}
