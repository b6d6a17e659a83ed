/** The product's own BullMQ, so that a yardstick or a test can't use a different version. */
import { createRequire } from 'node:module'
import type * as BullMq from '../../../apps/shared/node_modules/bullmq/dist/esm/index.js'

const requireAsShared = createRequire(new URL('../../../apps/shared/package.json', import.meta.url))

export const { createPostgresBackend, DelayedError, Queue, Worker } = requireAsShared(
  'bullmq',
) as typeof BullMq
export type { Job } from '../../../apps/shared/node_modules/bullmq/dist/esm/index.js'
