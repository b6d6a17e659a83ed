/** `npm run bench -- [part …] [--rounds 3] [--seconds 6] …`: measures the parts on this machine and writes the results. */
import { parseArgs } from 'node:util'
import { cleanUp } from '../support/clean-up.ts'
import type { BenchPart, BenchSettings } from './bench-part.ts'
import { chooseCores } from './cores.ts'
import { cell, goalCells, textTable } from './format.ts'
import { describeMachine, processorVendor } from './machine.ts'
import { freshness } from './parts/freshness.ts'
import { fsync } from './parts/fsync.ts'
import { memory } from './parts/memory.ts'
import { oneCore } from './parts/one-core.ts'
import { redirect } from './parts/redirect.ts'
import { shorten } from './parts/shorten.ts'
import { start } from './parts/start.ts'
import { stats } from './parts/stats.ts'
import { storage } from './parts/storage.ts'
import { twoWorkers } from './parts/two-workers.ts'
import { unknown } from './parts/unknown.ts'
import { worker } from './parts/worker.ts'
import { zipf } from './parts/zipf.ts'
import { writeOverview } from './write-overview.ts'
import { goalColumns, resultsFolder, writePart } from './write-results.ts'

const parts: Record<string, BenchPart> = {
  redirect,
  'one-core': oneCore,
  zipf,
  unknown,
  fsync,
  worker,
  'two-workers': twoWorkers,
  storage,
  memory,
  freshness,
  shorten,
  stats,
  start,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    links: { type: 'string', default: '1000000' },
    visits: { type: 'string', default: '20000000' },
    waiting: { type: 'string', default: '10000000' },
    queued: { type: 'string', default: '400000' },
    starts: { type: 'string', default: '10' },
    results: { type: 'string', default: resultsFolder },
  },
})
const settings: BenchSettings = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  links: Number(values.links),
  visits: Number(values.visits),
  waiting: Number(values.waiting),
  queued: Number(values.queued),
  starts: Number(values.starts),
  cores: chooseCores(),
  say: text => process.stderr.write(`  ${text}\n`),
}

process.on('SIGINT', () => void cleanUp().finally(() => process.exit(130)))
process.on('SIGTERM', () => void cleanUp().finally(() => process.exit(143)))
await runParts(positionals.length > 0 ? positionals : Object.keys(parts))

async function runParts(names: string[]): Promise<void> {
  const unknownNames = names.filter(name => parts[name] === undefined)
  const wrong = Object.entries(settings).filter(([, value]) => typeof value === 'number' && !(value > 0))
  if (unknownNames.length > 0 || wrong.length > 0) {
    if (unknownNames.length > 0) complain(`unknown part: ${unknownNames.join(', ')}`)
    for (const [name] of wrong) complain(`--${name} must be greater than 0`)
    complain(`parts: ${Object.keys(parts).join(' ')}`)
    process.exitCode = 2
    return
  }
  for (const name of names) {
    const part = parts[name]
    if (part !== undefined) await runPart(name, part)
  }
  writeOverview(values.results, Object.keys(parts))
}

async function runPart(name: string, part: BenchPart): Promise<void> {
  process.stdout.write(`\n${name}: ${part.title}\n`)
  const startedAt = Date.now()
  try {
    const result = await part.run(settings)
    for (const table of result.tables) {
      const rows = table.rows.map(row => [row.what, ...row.cells.map(cell)])
      process.stdout.write(`\n${textTable([table.title, ...table.columns], rows)}\n`)
    }
    if (result.goals.length > 0)
      process.stdout.write(`\n${textTable(goalColumns, result.goals.map(goalCells))}\n`)
    const conditions = [
      ...describeMachine(settings.cores),
      `run: ${new Date(startedAt).toISOString().slice(0, 10)}, ${settings.rounds} alternating rounds of ${settings.seconds} s, ${Math.round((Date.now() - startedAt) / 1_000)} s in total`,
    ]
    process.stdout.write(`\n${[...result.notes, ...conditions].map(line => `- ${line}`).join('\n')}\n`)
    writePart({
      folder: values.results,
      processor: processorVendor(),
      name,
      title: part.title,
      result,
      conditions,
    })
  } catch (error) {
    complain(`${name} failed: ${error instanceof Error ? error.stack : error}`)
    process.exitCode = 1
  } finally {
    await cleanUp()
  }
}

function complain(text: string): void {
  process.stderr.write(`bench: ${text}\n`)
}
