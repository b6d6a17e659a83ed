import type { Static } from 'typebox'
import { Type } from 'typebox'
import type { LinkState } from '../../links/link-state.ts'
import { LinkStateSchema } from '../../links/link-state.ts'
import { countsProperties } from '../../stats/counts.ts'
import { LinkSchema } from '../link-schema.ts'

/** A link's id; where links are sorted by visits, after their value. */
const position = { pattern: '^(\\d{1,16}\\.)?\\d{1,15}$' }

/** Which links a list or an export has. */
export const filterProperties = {
  search: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2_048,
      description:
        'only links whose slug, target or title contains this text, in upper or lower case; a short URL of this service finds its link',
    }),
  ),
  tag: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
      maxItems: 20,
      description: 'only links that have this tag, in upper or lower case; may repeat: all of them',
    }),
  ),
  status: Type.Optional(
    Type.Unsafe<LinkState>({
      ...LinkStateSchema,
      description: 'only links in this state; by default all that are not deleted',
    }),
  ),
}

export const ListQuerySchema = Type.Object(
  {
    ...filterProperties,
    sort: Type.Union(
      [
        Type.Literal('newest'),
        Type.Literal('oldest'),
        Type.Literal('humans'),
        Type.Literal('visits'),
        Type.Literal('uniques'),
        Type.Literal('last_visit'),
        Type.Literal('growth'),
      ],
      {
        default: 'newest',
        description:
          'newest and oldest: by creation; the others: highest first, ties by age, oldest link first, and then the links that have no visits, or did not grow, newest first; they need the scope stats:read. Humans: visits by humans; growth: the increase in visits over the preceding period of equal length',
      },
    ),
    window: Type.Optional(
      Type.Union([Type.Literal('all'), Type.Literal('24h'), Type.Literal('7d'), Type.Literal('30d')], {
        description:
          'the visits that are counted, and that the links are sorted by; by default all. A window begins on a quarter hour; with sort=uniques it consists of whole UTC days',
      }),
    ),
    sparkline: Type.Boolean({ default: false, description: 'adds the last 7 days of each link' }),
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 25 }),
    after: Type.Optional(
      Type.String({ ...position, description: 'the next page, from the `Link` header with rel="next"' }),
    ),
    before: Type.Optional(
      Type.String({ ...position, description: 'the page before, from the `Link` header with rel="prev"' }),
    ),
  },
  { additionalProperties: false },
)
export type ListQuery = Static<typeof ListQuerySchema>

const counts = Type.Object({
  ...countsProperties,
  visits: Type.Integer({
    description:
      'redirects served, each counted once: humans + bots + previews; all counts are of the `window`',
  }),
})

const ListedLinkSchema = Type.Object({
  ...LinkSchema.properties,
  ...Type.Partial(counts).properties,
  uniques: Type.Optional(
    Type.Integer({
      description:
        'unique visitors per UTC day, summed over the days: each is counted once per link and UTC day. In a window only if it consists of whole UTC days',
    }),
  ),
  growth: Type.Optional(
    Type.Integer({
      description: 'with sort=growth: the increase in visits over the preceding period of equal length',
    }),
  ),
  sparkline: Type.Optional(
    Type.Array(Type.Integer(), {
      description: 'with sparkline=true: visits by humans on each of the last 7 UTC days, oldest first',
    }),
  ),
})

export type ListedLinkResource = Static<typeof ListedLinkSchema>

export const ListSchema = Type.Array(ListedLinkSchema)

/** The headers as the OpenAPI document describes them. */
export const listHeaderSchemas = {
  link: {
    type: 'string',
    description: 'the page before, rel="prev", and the next page, rel="next", where there is one',
  },
  'x-total-count': { type: 'integer', description: 'the links that match, on all pages' },
  'x-total-relation': {
    type: 'string',
    enum: ['eq', 'gte'],
    description:
      'eq: `X-Total-Count` is exact, as it is without a filter; gte: at least that many match, counted up to some hundreds',
  },
  etag: { type: 'string', description: 'changes with the list and with these headers' },
}
