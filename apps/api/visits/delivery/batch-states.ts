/**
 * The states of a batch in the deliverer, as data. deliver-batches.ts draws and explains them; a test holds the drawing
 * against this table, and the table against what really happens (test/api/visits/batch-states.test.ts).
 */
import type { Log } from '@hopcount/shared/log.ts'
import type { BatchId } from '@hopcount/shared/visits/visit-batch.ts'
import { batchKey } from '@hopcount/shared/visits/visit-batch.ts'

/** How an attempt to send a batch ends. */
export type AttemptEnd = 'queue has it' | 'attempt failed' | 'segment missing' | 'worker refuses it'

export type BatchEvent =
  | 'delivered'
  | 'delivered as sent'
  | 'disowned'
  | 'attempt'
  | AttemptEnd
  | 'ledger holds it'
  | 'ledger takes it as void'
  | 'segment released'
  | 'segment left behind'

/** The deliverer is done with a batch in one of these. */
export type BatchExit = 'counted' | 'set aside' | 'gone' | 'void'

export type BatchState = 'new' | 'unsent' | 'sending' | 'sent' | 'recorded' | 'voiding' | BatchExit

export const transitions: Record<BatchState, Partial<Record<BatchEvent, BatchState>>> = {
  new: { delivered: 'unsent', 'delivered as sent': 'sent', disowned: 'voiding' },
  unsent: { attempt: 'sending', 'ledger holds it': 'recorded' },
  sending: {
    'queue has it': 'sent',
    'attempt failed': 'unsent',
    'segment missing': 'gone',
    'worker refuses it': 'set aside',
    'ledger holds it': 'recorded',
  },
  sent: { attempt: 'sending', 'ledger holds it': 'recorded' },
  recorded: { 'segment released': 'counted', 'segment left behind': 'counted' },
  voiding: { 'ledger takes it as void': 'void', 'ledger holds it': 'counted' },
  counted: {},
  'set aside': {},
  gone: {},
  void: {},
}

/** A batch that the deliverer keeps track of. Only moveBatch() changes its state. */
export interface TrackedBatch {
  readonly batch: BatchId
  state: BatchState
}

/**
 * Moves a batch to its next state. Returns false, and changes nothing, where the event does not lead anywhere: the end
 * of an attempt that the ledger has overtaken.
 */
export function moveBatch(tracked: TrackedBatch, event: BatchEvent, log: Log): boolean {
  const { batch, state } = tracked
  const next = transitions[state][event]
  log.debug({ batch: batchKey(batch), state, event, next }, 'batch')
  if (next === undefined) return false
  tracked.state = next
  return true
}

export function isExit(state: BatchState): state is BatchExit {
  return Object.keys(transitions[state]).length === 0
}
