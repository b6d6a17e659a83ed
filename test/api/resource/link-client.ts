/** Requests to `/api/links`, and their responses. */

export interface LinkAnswer {
  status: number
  etag: string | null
  location: string | null
  prev: string | undefined
  next: string | undefined
  /** Of a list: how many links match, such as `12`, or `1000+` where there are at least that many. */
  count: string
  headers: Headers
  // The tests name what they expect of it.
  body: Record<string, unknown>
}

export interface LinkClient {
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<LinkAnswer>
  /** Creates a link; throws unless the status is 201. */
  create(body?: Record<string, unknown>): Promise<LinkAnswer & { slug: string }>
  /** The slugs of a list, all pages of it. */
  list(query?: string): Promise<string[]>
  /** The status and the Location of a redirect. */
  follow(slug: string): Promise<[number, string | null]>
}

export function linkClient(origin: string): LinkClient {
  const send: LinkClient['send'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      etag: response.headers.get('etag'),
      location: response.headers.get('location'),
      prev: linked(response, 'prev'),
      next: linked(response, 'next'),
      count: `${response.headers.get('x-total-count')}${response.headers.get('x-total-relation') === 'gte' ? '+' : ''}`,
      headers: response.headers,
      body: text === '' ? {} : JSON.parse(text),
    }
  }
  return {
    send,
    async create(body = {}) {
      const answer = await send('POST', '/api/links', { long_url: 'https://example.com/', ...body })
      if (answer.status !== 201)
        throw new Error(`POST /api/links: ${answer.status} ${JSON.stringify(answer.body)}`)
      return { ...answer, slug: String(answer.body.slug) }
    },
    async list(query = '') {
      const slugs: string[] = []
      for (let next: string | undefined = `/api/links${query}`; next !== undefined; ) {
        const answer: LinkAnswer = await send('GET', next)
        if (answer.status !== 200)
          throw new Error(`GET ${next}: ${answer.status} ${JSON.stringify(answer.body)}`)
        slugs.push(...(answer.body as unknown as { slug: string }[]).map(({ slug }) => slug))
        next = answer.next
      }
      return slugs
    },
    async follow(slug) {
      const response = await fetch(`${origin}/${slug}`, { redirect: 'manual' })
      await response.arrayBuffer()
      return [response.status, response.headers.get('location')]
    },
  }
}

function linked(response: Response, relation: string): string | undefined {
  return new RegExp(`<([^>]+)>; rel="${relation}"`).exec(response.headers.get('link') ?? '')?.[1]
}
