/** Links as the resource shows them: rows of `links` with their state, their counts, and the key that created them. */
import type { Pool, PoolClient } from 'pg'
import type { Actor } from '../access/actor.ts'
import { allows } from '../access/actor.ts'
import { describeKey } from '../audit/by-key.ts'
import type { LinkFields } from '../links/link-fields.ts'
import { describeFields } from '../links/link-fields.ts'
import type { LinkState } from '../links/link-state.ts'
import { linkStateSql } from '../links/link-state.ts'
import type { LinkResource } from './link-schema.ts'

export interface LinkRow extends LinkFields {
  id: number
  slug: string
  version: number
  state: LinkState
  createdAt: Date
  updatedAt: Date
  deletedAt: Date | null
  createdBy: number | null
  createdByName: string | null
  visits: number
  lastVisit: Date | null
}

const selectRows = `
  SELECT links.id, links.slug, links.version, links.long_url AS "longUrl", links.title, links.note, links.tags,
         links.valid_from AS "validFrom", links.expires_at AS "expiresAt", links.expired_url AS "expiredUrl",
         links.max_visits AS "maxVisits", links.forward_query AS "forwardQuery",
         links.disabled_at IS NOT NULL AS disabled, ${linkStateSql} AS state, links.created_at AS "createdAt",
         coalesce(links.updated_at, links.created_at) AS "updatedAt", links.deleted_at AS "deletedAt",
         links.created_by AS "createdBy", keys.name AS "createdByName", coalesce(link_totals.visits, 0) AS visits,
         link_totals.last_visit AS "lastVisit"
  FROM links
  LEFT JOIN keys ON keys.id = links.created_by
  LEFT JOIN link_totals ON link_totals.link_id = links.id`

type Database = Pick<Pool | PoolClient, 'query'>

export async function findRow(database: Database, slug: string): Promise<LinkRow | undefined> {
  const { rows } = await database.query<LinkRow>({
    name: 'find-link-row',
    text: `${selectRows} WHERE links.slug = $1`,
    values: [slug],
  })
  return rows[0]
}

/** By slug. */
export async function findRows(database: Database, slugs: string[]): Promise<Map<string, LinkRow>> {
  const { rows } = await database.query<LinkRow>({
    name: 'find-link-rows',
    text: `${selectRows} WHERE links.slug = ANY($1::text[])`,
    values: [slugs],
  })
  return new Map(rows.map(row => [row.slug, row]))
}

/** In the order of the ids. */
export async function readRows(database: Database, ids: number[]): Promise<LinkRow[]> {
  const { rows } = await database.query<LinkRow>({
    name: 'read-link-rows',
    text: `${selectRows} WHERE links.id = ANY($1::bigint[]) ORDER BY array_position($1::bigint[], links.id)`,
    values: [ids],
  })
  return rows
}

/** The same by slug, locked until the transaction ends. In the order of their ids, so that no deadlock is possible. */
export async function lockRows(client: PoolClient, slugs: string[]): Promise<Map<string, LinkRow>> {
  const { rows } = await client.query<LinkRow>({
    name: 'lock-link-rows',
    text: `${selectRows} WHERE links.slug = ANY($1::text[]) ORDER BY links.id FOR UPDATE OF links`,
    values: [slugs],
  })
  return new Map(rows.map(row => [row.slug, row]))
}

/** @param origin what short URLs begin with */
export function describeLink(row: LinkRow, origin: string, actor: Actor): LinkResource {
  return {
    slug: row.slug,
    short_url: `${origin}/${row.slug}`,
    ...describeFields(row),
    state: row.state,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    created_by: describeKey(row.createdBy, row.createdByName),
    deleted_at: row.deletedAt?.toISOString() ?? null,
    ...(allows(actor, 'stats:read') && {
      visits: row.visits,
      last_visit: row.lastVisit?.toISOString() ?? null,
    }),
  }
}
