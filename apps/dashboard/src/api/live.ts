import { useEffect, useState } from 'preact/hooks'
import { usePolled } from './poll.ts'
import type { LiveCounts, ReportStats } from './stats.ts'
import { livePath, reportPath } from './stats.ts'

export interface Live {
  counts: LiveCounts | undefined
  /** False while the counts are polled every 2 s, because there is no stream. */
  isStreaming: boolean
}

const reopenMs = 10_000
const minuteMs = 60_000

/**
 * The live counts of a link or of all links: from the stream, or by polling while there is none. A browser reopens a
 * broken stream by itself, but not one that was refused (503: too many streams, or a busy server). A hidden tab has no
 * stream.
 *
 * @param slug undefined: all links
 */
export function useLive(slug: string | undefined, isWanted: boolean, now: number): Live {
  const [streamed, setStreamed] = useState<LiveCounts>()
  const [isStreaming, setStreaming] = useState(true)

  useEffect(() => {
    if (!isWanted) return
    let source: EventSource | undefined
    let timer: ReturnType<typeof setTimeout> | undefined

    function open(): void {
      close()
      if (document.hidden) return
      const opened = new EventSource(livePath(slug))
      source = opened
      opened.addEventListener('counts', event => {
        setStreamed(JSON.parse(event.data) as LiveCounts)
        setStreaming(true)
      })
      opened.addEventListener('error', () => {
        setStreaming(false)
        if (opened.readyState === EventSource.CLOSED) timer = setTimeout(open, reopenMs)
      })
    }

    function close(): void {
      clearTimeout(timer)
      source?.close()
    }

    open()
    document.addEventListener('visibilitychange', open)
    return () => {
      close()
      document.removeEventListener('visibilitychange', open)
    }
  }, [slug, isWanted])

  const from = new Date(Math.floor(now / minuteMs) * minuteMs - 5 * minuteMs).toISOString()
  const url = `${reportPath(slug)}?${new URLSearchParams({ interval: 'minute', from })}`
  const { response } = usePolled<ReportStats>(
    isWanted && !isStreaming ? { url, about: undefined } : undefined,
  )
  if (isStreaming || response === undefined) return { counts: streamed, isStreaming }
  const { range, ...counts } = response.data
  return { counts: { ...counts, last_5_minutes: range.humans }, isStreaming }
}
