import pg from 'pg'
import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { recordBatches } from '../../apps/worker/record-batches.ts'
import { openVisitKnowledge } from '../../apps/worker/visit-knowledge.ts'
import { drawVisits } from './draw-visits.ts'
import { startServices } from './services.ts'
import { readFileSync, readdirSync } from 'node:fs'
const services = await startServices()
const pool = new pg.Pool({ connectionString: (services as any).databaseUrl ?? services.postgres.url, max: 3 })
const knowledge = await openVisitKnowledge(pool)
const pgCpu = () => { let t = 0; for (const d of readdirSync('/proc')) { if (!/^\d+$/.test(d)) continue; try { const s = readFileSync(`/proc/${d}/stat`, 'utf8'); const f = s.slice(s.lastIndexOf(')') + 2).split(' '); if (+f[1]! === services.postgres.pid || +d === services.postgres.pid) t += (+f[11]! + +f[12]!) * 10 } catch {} } return t }
const times = new Map<string, number>()
const original = pg.Client.prototype.query
;(pg.Client.prototype as any).query = function (...args: any[]) {
  const started = performance.now()
  const name = args[0]?.name ?? args[0]
  const result = (original as any).apply(this, args)
  if (result?.then) result.then(() => times.set(name, (times.get(name) ?? 0) + performance.now() - started))
  return result
}
const visitors = process.argv[2] !== 'none'
for (let r = 0; r < 2; r++) {
  times.clear()
  const producerId = newProducerId()
  const rounds = 30
  const batches = Array.from({ length: rounds }, (_, i) => ({ producerId, seq: i + 1,
    visits: drawVisits(+(process.env.N ?? 16_000), 20_000).map(v => ({ ...v, visitedAt: Date.now(), ...(visitors ? {} : { address: undefined }) })),
  }))
  const cpu = process.cpuUsage(); const p = pgCpu()
  const started = performance.now()
  for (const batch of batches) await recordBatches(pool, knowledge, [batch])
  const wall = performance.now() - started
  const used = process.cpuUsage(cpu)
  console.log('ms/tx', (wall / rounds).toFixed(1), 'node cpu', ((used.user + used.system) / 1000 / rounds).toFixed(1), 'pg cpu', ((pgCpu() - p) / rounds).toFixed(1))
}
for (const [k, v] of [...times].sort((a, b) => b[1] - a[1])) console.log((v / 30).toFixed(1), k.slice(0, 60))
await pool.end(); await (await import('../support/clean-up.ts')).cleanUp()
process.exit(0)
