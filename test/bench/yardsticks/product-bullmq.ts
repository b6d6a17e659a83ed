/** The very BullMQ that the product runs, so that a yardstick can never have another version of it. */
import { createRequire } from 'node:module'
import type * as BullMq from '../../../apps/shared/node_modules/bullmq/dist/esm/index.js'

const requireAsShared = createRequire(new URL('../../../apps/shared/package.json', import.meta.url))

export const { Queue, Worker } = requireAsShared('bullmq') as typeof BullMq
