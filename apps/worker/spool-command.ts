/**
 * `npm run spool -- FILE …`: prints the visits in spool segments (open, sealed or set aside) as JSON lines, without
 * addresses, then one line per file that says whether it is sound. Exits 1 if a file is damaged or cannot be read.
 */
import { readFileSync } from 'node:fs'
import { errorText } from '@hopcount/shared/log.ts'
import { runCommand } from '@hopcount/shared/run-command.ts'
import { decodeBatch } from '@hopcount/shared/visits/decode-batch.ts'

await runCommand('spool', async () => {
  const files = process.argv.slice(2)
  if (files.length === 0) throw new Error('usage: npm run spool -- FILE …')
  for (const file of files) {
    try {
      printSegment(file)
    } catch (error) {
      process.stderr.write(`hopcount spool: ${errorText(error)}\n`)
      process.exitCode = 1
    }
  }
})

function printSegment(file: string): void {
  const { visits, damaged, tornBytes } = decodeBatch(readFileSync(file))
  for (const { linkId, visitedAt, referrer, userAgent, language } of visits) {
    const visit = { linkId, visitedAt: new Date(visitedAt).toISOString(), referrer, userAgent, language }
    process.stdout.write(`${JSON.stringify(visit)}\n`)
  }
  const ranges = damaged.map(({ offset, length }) => `${length} bytes at ${offset}`).join(', ')
  const condition = ranges === '' ? 'sound' : `damaged (${ranges})`
  process.stdout.write(
    `${file}: ${visits.length} visits, ${condition}, ${tornBytes} bytes of an unfinished write\n`,
  )
  if (damaged.length > 0) process.exitCode = 1
}
