import type { FastifyInstance } from 'fastify'
import { reservedForms } from './links/check-slug.ts'

export interface CollectedRoutes {
  /** The methods of each path. */
  methods: Map<string, Set<string>>
  /** Words that a path has where another one has a slug, in lower case. */
  words: Set<string>
  /** Words that can't be slugs: these and the given ones, in the forms in which check-slug.ts compares them. */
  reserved: Set<string>
}

/** Records every route that is added from now on. */
export function collectRoutes(app: FastifyInstance, reservedWords: string[]): CollectedRoutes {
  const methods = new Map<string, Set<string>>()
  const words = new Set<string>()
  const reserved = new Set(reservedWords.flatMap(reservedForms))
  /** For each beginning of a path: the words that may follow it, and whether a slug may. */
  const places = new Map<string, { words: Set<string>; isSlug: boolean }>()
  app.addHook('onRoute', route => {
    const known = methods.get(route.url) ?? new Set()
    for (const method of [route.method].flat()) known.add(method)
    methods.set(route.url, known)
    const segments = route.url.split('/').slice(1)
    for (const [i, segment] of segments.entries()) {
      const before = segments.slice(0, i).join('/')
      const place = places.get(before) ?? { words: new Set(), isSlug: false }
      places.set(before, place)
      if (segment === ':slug') place.isSlug = true
      else if (/^[^:*]/.test(segment)) place.words.add(segment.toLowerCase())
      if (!place.isSlug) continue
      for (const word of place.words) {
        words.add(word)
        for (const form of reservedForms(word)) reserved.add(form)
      }
    }
  })
  return { methods, words, reserved }
}
