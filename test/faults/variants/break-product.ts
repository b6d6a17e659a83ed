/**
 * For `node --import`: starts the product with one promise broken (VARIANT names it), by changing a few words of its
 * source as it is loaded. If those words are no longer there, the process ends: a variant that breaks nothing proves
 * nothing.
 */
import { registerHooks } from 'node:module'

interface Change {
  file: string
  from: string
  to: string
}

const variants: Record<string, Change[]> = {
  /** The redirect goes out although its visit was never written. */
  'no-spool': [
    {
      file: 'apps/api/visits/visit-spool.ts',
      from: 'writeSync(current.fd, memory, at, end - at, at)',
      to: 'end - at',
    },
  ],
  /** Every attempt to send a batch gives it a new id. */
  'new-id-at-each-send': [
    {
      file: 'apps/api/visits/delivery/send-batch.ts',
      from: 'await queue.add({ producerId, seq, frames })',
      to: 'await queue.add({ producerId: process.getBuiltinModule("node:crypto").randomUUID().replace(/-4/, "-7"), seq, frames })',
    },
    {
      file: 'apps/api/visits/delivery/deliver-batches.ts',
      from: 'sendAgainAfterMs = 10_000',
      to: 'sendAgainAfterMs = 500',
    },
  ],
  /** A batch that is delivered again is counted again. */
  'no-ledger': [
    {
      file: 'apps/worker/recording/record-batches.ts',
      from: 'const [fresh, seen, days] =',
      to: 'const [, seen, days] =',
    },
    {
      file: 'apps/worker/recording/record-batches.ts',
      from: 'const places =',
      to: 'const fresh = distinct; const places =',
    },
  ],
  /** The job is acknowledged, and its segment deleted, before the transaction has committed. */
  'acknowledged-before-commit': [
    {
      file: 'apps/worker/recording/jobs/record-jobs.ts',
      from: 'await transactions.add(job)',
      to: "(transactions.add(job).catch(() => {}), 'recorded')",
    },
    {
      file: 'apps/api/visits/delivery/send-batch.ts',
      from: 'await queue.add({ producerId, seq, frames })',
      to: 'await queue.add({ producerId, seq, frames }); await batch.discard()',
    },
    {
      file: 'apps/api/visits/segments/segment-batch.ts',
      from: 'kept.keep({ ...facts(), folder, bytes: size }, epoch, { path })',
      to: 'process.getBuiltinModule("node:fs/promises").rm(path)',
    },
  ],
}

const changes = variants[process.env.VARIANT ?? '']
if (changes === undefined) throw new Error(`there is no variant ${process.env.VARIANT}`)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const here = changes.filter(({ file }) => url.endsWith(`/${file}`))
    if (here.length === 0) return loaded
    let source = Buffer.from(loaded.source as Uint8Array).toString('utf8')
    for (const { file, from, to } of here) {
      if (!source.includes(from)) throw new Error(`${file} no longer holds: ${from}`)
      source = source.replace(from, () => to)
    }
    return { ...loaded, source }
  },
})
