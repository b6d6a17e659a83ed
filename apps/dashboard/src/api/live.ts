import { useEffect, useState } from 'preact/hooks'
import { doubt, isLateBy, prove } from './connection.ts'
import { listen, pageEvents, tell } from './events.ts'
import { usePolled } from './poll.ts'
import type { LiveCounts, LiveEvent, ReportStats } from './stats.ts'
import { livePath, reportPath } from './stats.ts'

export interface Live {
  counts: LiveCounts | undefined
  isStreaming: boolean
  /** Changes when requests have something new to show: visits were counted, or wait for that longer than usual. */
  news: string | undefined
}

/** The server sends something at least every 15 s. */
const silenceMs = 20_000
const reopenMs = 1_000
const longestReopenMs = 60_000
const minuteMs = 60_000

/**
 * The stream of live counts of a link or of all links. One that was cut or refused (503: too many streams, or a busy
 * server) is opened again, less and less often, and at once when requests succeed again. A hidden tab has no stream.
 *
 * @param slug undefined: all links
 */
export function useStream(slug: string | undefined, isWanted: boolean): Live {
  const [counts, setCounts] = useState<LiveCounts>()
  const [isStreaming, setStreaming] = useState(false)
  const [isLate, setLate] = useState(false)

  useEffect(() => {
    if (!isWanted) return
    let stream: AbortController | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let attempts = 0

    async function open(): Promise<void> {
      close()
      if (document.hidden) return
      const own = new AbortController()
      stream = own
      let isOpen = false
      try {
        for await (const { as_of, at, pending, ...live } of readStream(livePath(slug), own)) {
          if (stream !== own) return
          const fresh = { asOf: Date.parse(as_of), at: Date.parse(at), pending }
          prove(fresh)
          setLate(isLateBy(fresh))
          if ('visits' in live) setCounts(live)
          if (isOpen) continue
          isOpen = true
          attempts = 0
          setStreaming(true)
          tell('recovered')
        }
      } catch {
        // It could not be opened, or was cut.
      }
      if (stream !== own) return
      stream = undefined
      setStreaming(false)
      // The server may be gone.
      if (isOpen) doubt()
      timer = setTimeout(open, Math.min(reopenMs * 4 ** attempts++, longestReopenMs))
    }

    function close(): void {
      clearTimeout(timer)
      const last = stream
      stream = undefined
      last?.abort()
    }

    void open()
    const stops = [
      // After a pause it may be dead without knowing.
      listen(document, ['visibilitychange'], open),
      listen(pageEvents, ['recovered'], () => stream === undefined && void open()),
    ]
    return () => {
      close()
      setStreaming(false)
      for (const each of stops) each()
    }
  }, [slug, isWanted])

  const news = isStreaming && counts !== undefined ? newsOf(counts.visits, isLate) : undefined
  return { counts, isStreaming, news }
}

export function newsOf(visits: number, isLate: boolean): string {
  return `${visits} ${isLate}`
}

/**
 * The events of a stream (WHATWG HTML, section 9.2), until it ends, is refused or falls silent. Read with `fetch`, since an
 * EventSource hides the comments that show that the connection still works.
 */
async function* readStream(path: string, stop: AbortController): AsyncGenerator<LiveEvent> {
  let timer: ReturnType<typeof setTimeout> | undefined
  function waitOn(): void {
    clearTimeout(timer)
    timer = setTimeout(() => stop.abort(), silenceMs)
  }
  try {
    waitOn()
    const { ok, headers, body } = await fetch(path, { signal: stop.signal, cache: 'no-store' })
    if (!ok || body === null || !headers.get('content-type')?.startsWith('text/event-stream')) return
    const reader = body.pipeThrough(new TextDecoderStream()).getReader()
    let unread = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      waitOn()
      const messages = (unread + value).split('\n\n')
      unread = messages.pop() ?? ''
      for (const message of messages) {
        const data = /^data: (.*)$/m.exec(message)?.[1]
        if (data !== undefined) yield JSON.parse(data) as LiveEvent
      }
    }
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}

/**
 * The live counts from the stream, or while there is none, from a report that is requested when there is `news`.
 *
 * @param slug undefined: all links
 */
export function useLive(
  slug: string | undefined,
  isKnown: boolean,
  stream: Live,
  news: unknown,
  now: number,
): Live {
  const from = new Date(Math.floor(now / minuteMs) * minuteMs - 5 * minuteMs).toISOString()
  const url = `${reportPath(slug)}?${new URLSearchParams({ interval: 'minute', from })}`
  const { response } = usePolled<ReportStats>(
    isKnown && !stream.isStreaming ? { url, about: undefined } : undefined,
    {
      news,
    },
  )
  if (stream.isStreaming || response === undefined) return stream
  const { range, ...counts } = response.data
  return { ...stream, counts: { ...counts, last_5_minutes: range.humans } }
}
