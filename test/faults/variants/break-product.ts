/**
 * For `node --import`: starts the product with one promise broken (VARIANT names it), by changing a few words of its
 * source as it is loaded. Words that are no longer there end the process: a variant that breaks nothing proves nothing.
 */
import { registerHooks } from 'node:module'

interface Change {
  file: string
  from: string
  to: string
}

const variants: Record<string, Change[]> = {
  /** The visit is answered without having been written. */
  'no-spool': [
    {
      file: 'apps/api/visits/visit-spool.ts',
      from: 'writeSync(current.fd, memory, at, end - at, at)',
      to: 'end - at',
    },
  ],
  /** Every attempt to send a batch gives it another name. */
  'new-id-at-each-send': [
    {
      file: 'apps/api/visits/deliver-batches.ts',
      from: 'await queue.add({ producerId: entry.batch.producerId, seq: entry.batch.seq, frames })',
      to: 'await queue.add({ producerId: process.getBuiltinModule("node:crypto").randomUUID().replace(/-4/, "-7"), seq: entry.batch.seq, frames })',
    },
    {
      file: 'apps/api/visits/deliver-batches.ts',
      from: 'sendAgainAfterMs = 10_000',
      to: 'sendAgainAfterMs = 500',
    },
  ],
  /** What comes again is counted again. */
  'no-ledger': [
    {
      file: 'apps/worker/recording/record-batches.ts',
      from: 'const fresh = await enterLedger(client, distinct)',
      to: 'await enterLedger(client, distinct); const fresh = distinct',
    },
  ],
  /** The job counts as done, and its segment may go, before the transaction has committed. */
  'acknowledged-before-commit': [
    {
      file: 'apps/worker/recording/record-jobs.ts',
      from: 'await transactions.add(visitJob)',
      to: "(transactions.add(visitJob).catch(() => {}), 'recorded')",
    },
    {
      file: 'apps/api/visits/deliver-batches.ts',
      from: 'entry.timesSent++\n',
      to: 'entry.timesSent++\n      await entry.batch.discard(); forget(entry)\n',
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
