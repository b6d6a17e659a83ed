/**
 * Compares the redirects of a Locust run with Hopcount's counts; exits with 1 if they differ.
 *
 *   node test/load/compare-counts.ts [--host http://127.0.0.1:8080] [--report test/load/answered.json] [--wait 60]
 *
 * A link may have more visits than answered redirects, but only by the number of requests without a response.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

interface Report {
  answered: Record<string, number>
  unknown: Record<string, number>
}

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: 'http://127.0.0.1:8080' },
    report: { type: 'string', default: fileURLToPath(new URL('answered.json', import.meta.url)) },
    wait: { type: 'string', default: '60' },
  },
})
const report = JSON.parse(readFileSync(values.report, 'utf8')) as Report
const deadline = Date.now() + Number(values.wait) * 1_000

let wrong = 0
let answered = 0
let counted = 0
for (const [slug, expected] of Object.entries(report.answered)) {
  const mostPossible = expected + (report.unknown[slug] ?? 0)
  let visits = await visitsOf(slug)
  // Visits that were just redirected may not be counted yet.
  while (visits < expected && Date.now() < deadline) {
    await sleep(250)
    visits = await visitsOf(slug)
  }
  answered += expected
  counted += visits
  if (visits >= expected && visits <= mostPossible) continue
  wrong++
  process.stdout.write(`/${slug}: answered ${expected} times, counted ${visits} times\n`)
}
process.stdout.write(`answered ${answered}, counted ${counted}, links with a difference: ${wrong}\n`)
process.exitCode = wrong === 0 ? 0 : 1

async function visitsOf(slug: string): Promise<number> {
  const response = await fetch(`${values.host}/stats/${slug}`)
  if (!response.ok) throw new Error(`GET /stats/${slug} returned ${response.status}`)
  return ((await response.json()) as { visits: number }).visits
}
