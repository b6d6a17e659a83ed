/** Who did something, as responses say it: the API key, or null without one. */
import { Type } from 'typebox'

export const ByKeySchema = Type.Union(
  [Type.Object({ id: Type.Integer(), name: Type.String() }), Type.Null()],
  {
    description: 'the API key; null: without one',
  },
)

/** Keys are never deleted, so each has a name. */
export function describeKey(id: number | null, name: string | null): { id: number; name: string } | null {
  return id === null ? null : { id, name: name ?? '' }
}
