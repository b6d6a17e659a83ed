/** What the documentation says of several routes of the resource. */
import { Type } from 'typebox'

export const slugParams = Type.Object({ slug: Type.String() })

export const etagHeader = {
  etag: { type: 'string', description: 'changes with every change of the link, not with its visits' },
}

/** For the schema of a route's headers. */
export const ifMatchHeader = {
  type: 'object',
  properties: {
    'if-match': {
      type: 'string',
      description: 'an ETag: the request is refused if the link has changed since',
    },
  },
}

export const refusals = {
  429: 'too many requests from this address',
  503: 'the database is unavailable',
}

export const bodyRefusals = {
  413: 'the body is larger than 8 KiB',
  415: 'the body is compressed, or of another type',
}
