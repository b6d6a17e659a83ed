/** Fills the queue with batches as API processes send them, and reports when a worker has recorded them. */

import { newProducerId } from '../../apps/api/visits/producer-folder.ts'
import { openLog } from '../../apps/shared/log.ts'
import type { BatchTexts, Visit } from '../../apps/shared/visits/visit-batch.ts'
import { encodeFrame } from '../../apps/shared/visits/visit-batch.ts'
import { openVisitQueue } from '../../apps/shared/visits/visit-queue.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import type { Services } from './services.ts'
import { Queue } from './yardsticks/product-bullmq.ts'

/** A batch of a process that redirects at a quarter of its speed. */
const visitsPerBatch = 2_500
/** Visits per event-loop turn: one per connection. */
const visitsPerFrame = 64
const addsAtATime = 16

/** Adds all visits to a paused queue; returns a function that resumes it. */
export async function fillHeldQueue(
  services: Services,
  visits: Visit[],
): Promise<{ letGo(): Promise<void> }> {
  const held = new Queue('visit-batches', { prefix: '{hopcount}', connection: { url: services.redis.url } })
  await held.pause()
  const queue = openVisitQueue(services.installation, openLog({ name: 'bench', level: 'error' }))
  const producerId = newProducerId()
  const batches = Math.ceil(visits.length / visitsPerBatch)
  let seq = 0
  async function addSome(): Promise<void> {
    while (seq < batches) {
      const own = ++seq
      const frames = encodeBatch(visits.slice((own - 1) * visitsPerBatch, own * visitsPerBatch))
      await queue.add({ producerId, seq: own, frames: queue.pack(frames) })
    }
  }
  // A queue that was just opened refuses batches until it is connected.
  await held.waitUntilReady()
  while (!(await isReady(queue))) await new Promise(resolve => setTimeout(resolve, 10))
  await Promise.all(Array.from({ length: addsAtATime }, addSome))
  await queue.close()
  cleanUpLater(() => held.close())
  return { letGo: () => held.resume() }
}

function isReady(queue: ReturnType<typeof openVisitQueue>): Promise<boolean> {
  return queue.counts().then(
    () => true,
    () => false,
  )
}

function encodeBatch(visits: Visit[]): Buffer {
  const texts: BatchTexts = new Map()
  const frames: Buffer[] = []
  for (let from = 0; from < visits.length; from += visitsPerFrame)
    frames.push(encodeFrame(visits.slice(from, from + visitsPerFrame), Date.now(), texts))
  return Buffer.concat(frames)
}
