import type { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { createTurns } from '../turns.ts'

/** Of each kind: exports of statistics, and of the list of links. */
export const concurrentExports = 2

/**
 * Runs at most two exports of a kind at once in this process; more are refused with 503. An export gives its place back
 * when its stream is closed, or when it can't be made. When the process stops, streams are cut off: clients notice, since
 * the last chunk is missing.
 */
export function createExports(app: FastifyInstance) {
  const turns = createTurns({
    max: concurrentExports,
    waitMs: 0,
    refusal: 'Other exports are in progress. Please try again in a moment.',
  })
  const open = new Set<Readable>()
  app.addHook('preClose', async () => {
    for (const stream of open) stream.destroy(new Error('the process is stopping'))
  })

  return async function openExport<Export extends { stream: Readable }>(
    make: () => Promise<Export>,
  ): Promise<Export> {
    const endTurn = await turns.take()
    const made = await make().catch(error => {
      endTurn()
      throw error
    })
    open.add(made.stream)
    made.stream.once('close', () => {
      open.delete(made.stream)
      endTurn()
    })
    return made
  }
}
