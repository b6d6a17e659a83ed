import type { Static } from 'typebox'
import { Type } from 'typebox'

/** Whether a link redirects, and why not. */
export const LinkStateSchema = Type.Union([
  Type.Literal('active'),
  Type.Literal('scheduled'),
  Type.Literal('expired'),
  Type.Literal('exhausted'),
  Type.Literal('disabled'),
  Type.Literal('deleted'),
])

export type LinkState = Static<typeof LinkStateSchema>

/**
 * The state of a row of `links` as an SQL expression, by the database's clock. A link of which some visits are reserved and
 * will be returned (limit-visits.ts) may be exhausted for a moment.
 */
export const linkStateSql = `CASE
  WHEN links.deleted_at IS NOT NULL THEN 'deleted'
  WHEN links.disabled_at IS NOT NULL THEN 'disabled'
  WHEN links.valid_from > now() THEN 'scheduled'
  WHEN links.expires_at <= now() THEN 'expired'
  WHEN links.max_visits <= greatest((SELECT granted FROM link_quotas WHERE link_id = links.id),
                                    (SELECT visits FROM link_totals WHERE link_id = links.id)) THEN 'exhausted'
  ELSE 'active'
END`
