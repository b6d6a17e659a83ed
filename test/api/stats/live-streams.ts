/** A client of live streams, like EventSource (WHATWG HTML, section 9.2), that records what arrived when. */
import type { IncomingMessage } from 'node:http'
import { get } from 'node:http'
import { cleanUpLater } from '../../support/clean-up.ts'
import { waitUntil } from '../../support/wait-until.ts'

export interface LiveCounts {
  as_of: string
  visits: number
  humans: number
  bots: number
  previews: number
  last_5_minutes: number
  last_visit: string | null
}

export interface OpenStream {
  headers: IncomingMessage['headers']
  messages: { at: number; counts: LiveCounts }[]
  /** Everything received so far, as text. */
  text(): string
  /** Resolves with the time at which the server ended the stream. */
  ended: Promise<number>
  /** Waits for a message that meets the condition, and returns it. */
  message(condition: (counts: LiveCounts) => boolean, what: string): Promise<LiveCounts>
  close(): void
}

/**
 * Opens a stream; throws if the status is not 200. Retries while the process sheds statistics: it may have just
 * started, and other tests run at the same time.
 */
export async function openStream(url: string): Promise<OpenStream> {
  const { request, response } = await waitUntil(() => askForStream(url), {
    what: `${url} is answered`,
    deadlineMs: 15_000,
    everyMs: 200,
  })
  if (response.statusCode !== 200) {
    response.destroy()
    throw new Error(`${url} answered ${response.statusCode}`)
  }
  let text = ''
  let unread = ''
  const messages: OpenStream['messages'] = []
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    unread += chunk
    const blocks = unread.split('\n\n')
    unread = blocks.pop() ?? ''
    for (const block of blocks) {
      const data = /^event: counts\ndata: (.*)$/.exec(block)?.[1]
      if (data !== undefined) messages.push({ at: performance.now(), counts: JSON.parse(data) as LiveCounts })
    }
  })
  response.on('error', () => {})
  request.on('error', () => {})
  const ended = new Promise<number>(resolve => response.once('close', () => resolve(Date.now())))
  const close = () => void request.destroy()
  cleanUpLater(close)
  return {
    headers: response.headers,
    messages,
    text: () => text,
    ended,
    message: (condition, what) =>
      waitUntil(() => messages.find(message => condition(message.counts))?.counts, { what, everyMs: 5 }),
    close,
  }
}

/** Undefined: the process currently sheds statistics in favour of redirects. */
async function askForStream(url: string) {
  const request = get(url, { agent: false, headers: { accept: 'text/event-stream' } })
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    request.once('error', reject)
  })
  if (response.statusCode !== 503) return { request, response }
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return body.includes('Too busy') ? undefined : { request, response }
}
