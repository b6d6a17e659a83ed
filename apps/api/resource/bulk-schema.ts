import type { Static, TSchema } from 'typebox'
import { Type } from 'typebox'
import { ProblemSchema } from '../errors/problem-schema.ts'
import { LinkPatchSchema, LinkSchema, NewLinkBodySchema } from './link-schema.ts'

const maxRows = 1_000
export const maxBodyBytes = 4 * 1024 * 1024

function bodyOf<Name extends string, Row extends TSchema>(name: Name, row: Row, description: string) {
  return Type.Object(
    { [name]: Type.Array(row, { minItems: 1, maxItems: maxRows, description }) } as Record<
      Name,
      ReturnType<typeof Type.Array<Row>>
    >,
    { additionalProperties: false },
  )
}

export const NamedPatchSchema = Type.Object(
  { slug: Type.String({ description: 'the link to change' }), ...LinkPatchSchema.properties },
  { additionalProperties: false },
)
export type NamedPatch = Static<typeof NamedPatchSchema>

const oneByOne = 'a row that is not what its schema says is refused alone, with status 400'
export const BulkNewSchema = bodyOf('links', NewLinkBodySchema, oneByOne)
export const BulkPatchSchema = bodyOf('links', NamedPatchSchema, oneByOne)
export const BulkDeleteSchema = bodyOf('slugs', Type.String(), 'the links to delete')

export const BulkResultsSchema = Type.Object({
  results: Type.Array(
    Type.Object({
      slug: Type.Union([Type.String(), Type.Null()], {
        description: 'null: the row names none, and no link was created',
      }),
      status: Type.Integer({ description: 'as of a request with this row alone' }),
      link: Type.Optional(LinkSchema),
      problem: Type.Optional(
        Type.Object(ProblemSchema.properties, { description: 'pointers are relative to the row' }),
      ),
    }),
    { description: 'one per row, in their order' },
  ),
})
export type BulkResult = Static<typeof BulkResultsSchema>['results'][number]
