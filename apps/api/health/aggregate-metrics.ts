/**
 * The supervisor's part of `/metrics`: whichever process is asked, the response is about all of them.
 *
 * Counters of processes that have ended stay in the sums, so that none seems to start again. Every process sends its
 * metrics each second and when it stops: one that is killed takes at most its last second with it, and nothing that a
 * response has shown before.
 */
import type { Worker } from 'node:cluster'
import cluster from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import { AggregatorRegistry } from '@prometheus-io/client'
import type { Metrics, ToProcess, ToSupervisor } from './metrics-messages.ts'
import { isOurs } from './metrics-messages.ts'

/** A process that does not respond (frozen, overloaded) is in the sums with what it sent last. */
const responseWithinMs = 1_000

export function aggregateMetrics(): void {
  const latest = new Map<Worker, Metrics>()
  /** The lib's own form of summed metrics. */
  let ofEnded: object[] = []
  const collections = new Map<number, { waiting: Set<Worker>; complete: () => void }>()
  let lastCollection = 0

  cluster.on('message', (process, message: unknown) => {
    if (!isOurs<ToSupervisor>(message)) return
    if (message.hopcount === 'collect') void respond(process, message.request)
    else receive(process, message.metrics, message.collection)
  })
  // Not at its exit: messages may still be on their way then.
  cluster.on('disconnect', process => {
    const metrics = latest.get(process)
    latest.delete(process)
    if (metrics !== undefined)
      ofEnded = AggregatorRegistry.aggregate([ofEnded, countersOf(metrics)]).getMetricsAsArray()
    for (const collection of collections.keys()) receivedFrom(process, collection)
  })

  function receive(process: Worker, metrics: Metrics, collection: number | undefined): void {
    latest.set(process, metrics)
    if (collection !== undefined) receivedFrom(process, collection)
  }

  function receivedFrom(process: Worker, collection: number): void {
    const collecting = collections.get(collection)
    if (collecting?.waiting.delete(process) && collecting.waiting.size === 0) collecting.complete()
  }

  async function respond(process: Worker, request: number): Promise<void> {
    await collect()
    const living = [...latest.values()].map(addable)
    const text = await AggregatorRegistry.aggregate([...living, ofEnded]).metrics()
    send(process, { hopcount: 'collected', request, text })
  }

  async function collect(): Promise<void> {
    const collection = ++lastCollection
    const waiting = new Set(latest.keys())
    if (waiting.size === 0) return
    const complete = new Promise<void>(resolve => {
      collections.set(collection, { waiting, complete: resolve })
    })
    for (const process of waiting) send(process, { hopcount: 'send metrics', collection })
    await Promise.race([complete, sleep(responseWithinMs)])
    collections.delete(collection)
  }
}

function send(process: Worker, message: ToProcess): void {
  // A process that has just ended can't be written to; its 'disconnect' says the rest.
  if (process.isConnected()) process.send(message, () => {})
}

/** Quantiles can't be added, so summaries are left out. */
const addable = (metrics: Metrics) => metrics.filter(({ type }) => type !== 'summary')
const countersOf = (metrics: Metrics) =>
  metrics.filter(({ type }) => type === 'counter' || type === 'histogram')
