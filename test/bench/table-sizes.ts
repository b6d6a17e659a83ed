import type { Pool } from 'pg'

export interface TableSize {
  /** Partitions count as part of their table. */
  table: string
  /** Including indexes, TOAST and free space. */
  bytes: number
  /** As VACUUM or ANALYZE last saw it. */
  rows: number
}

/** Of all tables, the largest first. */
export async function tableSizes(pool: Pool): Promise<TableSize[]> {
  const { rows } = await pool.query<{ table: string; bytes: string; rows: string }>(
    `SELECT root.relname AS table, sum(pg_total_relation_size(part.oid)) AS bytes, sum(greatest(part.reltuples, 0)) AS rows
     FROM pg_class AS part JOIN pg_class AS root ON root.oid = coalesce(pg_partition_root(part.oid), part.oid)
     WHERE part.relkind = 'r' AND part.relnamespace = 'public'::regnamespace
     GROUP BY root.relname ORDER BY bytes DESC`,
  )
  return rows.map(({ table, bytes, rows }) => ({ table, bytes: Number(bytes), rows: Number(rows) }))
}

/** What each table has grown by, without those that have not. */
export function growth(before: TableSize[], after: TableSize[]): TableSize[] {
  const known = new Map(before.map(size => [size.table, size]))
  return after
    .map(({ table, bytes, rows }) => ({
      table,
      bytes: bytes - (known.get(table)?.bytes ?? 0),
      rows: rows - (known.get(table)?.rows ?? 0),
    }))
    .filter(({ bytes }) => bytes > 0)
}

/** The tables with raw visits and the texts that they refer to. */
export function isRaw({ table }: TableSize): boolean {
  return table === 'visits' || table === 'texts'
}

export function totalBytes(sizes: TableSize[]): number {
  return sizes.reduce((sum, { bytes }) => sum + bytes, 0)
}
