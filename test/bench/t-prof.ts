import { createRequire } from 'node:module'
const require = createRequire('/work/main/package.json')
const pg = require('pg')
const query = pg.Client.prototype.query
const sums = new Map<string, number>()
pg.Client.prototype.query = function (...args: any[]) {
  const text = (typeof args[0] === 'string' ? args[0] : args[0].text ?? '').replace(/\s+/g, ' ').slice(0, 110)
  const t = performance.now()
  const r = query.apply(this, args)
  if (r?.then) r.then(() => sums.set(text, (sums.get(text) ?? 0) + performance.now() - t), () => {})
  return r
}
process.on('exit', () => {
  for (const [k, v] of [...sums].sort((a, b) => b[1] - a[1]).slice(0, 22)) console.log((v / 1000).toFixed(1).padStart(6), k)
})
const script = process.argv[2]!
process.argv.splice(2, 1)
await import(script)
