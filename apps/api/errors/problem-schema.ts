import type { Static } from 'typebox'
import { Type } from 'typebox'

export const ProblemSchema = Type.Object(
  {
    type: Type.String({
      description: 'a URI that identifies the kind of problem; `about:blank`: the status says it all',
    }),
    title: Type.String({ description: 'the status in words' }),
    status: Type.Integer(),
    detail: Type.String({ description: 'what is wrong with this request' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON pointer (RFC 6901) to the field, as a URI fragment' }),
          detail: Type.String(),
        }),
      ),
    ),
    earliest: Type.Optional(
      Type.String({ format: 'date-time', description: 'the earliest possible beginning of the range' }),
    ),
    longest: Type.Optional(
      Type.Object(
        { from: Type.String({ format: 'date-time' }), to: Type.String({ format: 'date-time' }) },
        { description: 'a shorter range that should be possible; `to` is exclusive' },
      ),
    ),
  },
  { description: 'RFC 9457 problem details', $id: 'Problem' },
)

export type ProblemDocument = Static<typeof ProblemSchema>
