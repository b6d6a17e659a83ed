import { sendRaw } from '../api/raw-http.ts'

const host = 'host: hop.example\r\n'
const json = 'content-type: application/json\r\n'

/** Each on its own connection, with the status it must get. More of them: test/api/hostile-requests.test.ts. */
const requests: [bytes: string, status: number][] = [
  [`GET /%zz HTTP/1.1\r\n${host}\r\n`, 400],
  [`GET /a%00b HTTP/1.1\r\n${host}\r\n`, 404],
  [`GET /a HTTP/1.1\r\n${host}user-agent: a\0b\r\n\r\n`, 400],
  [`GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`, 431],
  [`GET /stats?limit=1e9 HTTP/1.1\r\n${host}\r\n`, 400],
  [`TRACE /a HTTP/1.1\r\n${host}\r\n`, 405],
  ['not HTTP at all\r\n\r\n', 400],
  [`POST /shorten HTTP/1.1\r\n${host}${json}content-length: 1\r\n\r\n{`, 400],
  [`POST /shorten HTTP/1.1\r\n${host}content-length: 2\r\n\r\n{}`, 415],
  [
    `POST /shorten HTTP/1.1\r\n${host}${json}transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    `POST /shorten HTTP/1.1\r\n${host}${json}content-length: 33\r\n\r\n{"long_url":"javascript:alert()"}`,
    422,
  ],
]

/** Sends one of them, by turns; `expected` is false if the response is a different one, or missing. */
export async function sendHostileRequest(
  port: number,
  turn: number,
): Promise<{ status: string; expected: boolean }> {
  const [bytes, status] = requests[turn % requests.length] ?? ['', 0]
  const outcome = await sendRaw({ host: '127.0.0.1', port }, bytes, { timeoutMs: 10_000 })
  if (typeof outcome === 'string') return { status: outcome, expected: false }
  return { status: `${outcome.status} instead of ${status}`, expected: outcome.status === status }
}
