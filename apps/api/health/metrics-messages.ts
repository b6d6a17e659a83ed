/** What API processes and their supervisor say to each other about metrics, over the IPC channel. */
import type { MetricObjectWithValues, MetricValue } from '@prometheus-io/client'

export type Metrics = MetricObjectWithValues<MetricValue<string>>[]

export type ToSupervisor =
  /** In response to `send metrics`, and every second. */
  { hopcount: 'metrics'; metrics: Metrics; collection?: number } | { hopcount: 'collect'; request: number }

export type ToProcess =
  | { hopcount: 'send metrics'; collection: number }
  | { hopcount: 'collected'; request: number; text: string }

/** The channel also carries messages of others. */
export function isOurs<Message extends ToSupervisor | ToProcess>(message: unknown): message is Message {
  return typeof message === 'object' && message !== null && 'hopcount' in message
}
