import type { Pool } from 'pg'

/** Links with fewer visits counted than answered, or more than attempted. */
export async function countsOutside(
  pool: Pool,
  load: { attempted: Map<string, number>; answered: Map<string, number> },
): Promise<string[]> {
  const { rows } = await pool.query<{ slug: string; visits: string }>(
    'SELECT slug, visits FROM links JOIN link_totals ON link_totals.link_id = links.id WHERE slug = ANY($1)',
    [[...load.attempted.keys()]],
  )
  const counted = new Map(rows.map(row => [row.slug, Number(row.visits)]))
  return [...load.attempted].flatMap(([slug, attempted]) => {
    const answered = load.answered.get(slug) ?? 0
    const visits = counted.get(slug) ?? 0
    return answered <= visits && visits <= attempted
      ? []
      : [`/${slug}: answered ${answered}, counted ${visits}, attempted ${attempted}`]
  })
}
