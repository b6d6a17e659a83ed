/**
 * The wall clock may jump, back or ahead, by hours (row 29 of the fault matrix). So deadlines, backoffs, ages and expiries of
 * caches are measured with performance.now(), and the wall clock is read only for what is stored, shown, or compared with
 * stored times. This list names every place that reads it, with its reason.
 */
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../support/processes.ts'

const readsWallClock: Record<string, string> = {
  'apps/api/access/credentials.ts': 'whether a key or session has expired',
  'apps/api/freshness/report-producer.ts': 'the age of stored visits that are not counted',
  'apps/api/health/api-metrics.ts': 'the age of a stored visit',
  'apps/api/keys-command.ts': 'an expiry must lie ahead',
  'apps/api/keys/key-routes.ts': 'an expiry must lie ahead',
  'apps/api/keys/session-routes.ts': 'until when a session is stored',
  'apps/api/resource/check-fields.ts': 'an expiry must lie ahead',
  'apps/api/redirect/redirect-route.ts': 'whether a link has expired',
  'apps/api/redirect/fast-path.ts': 'whether a link has expired',
  'apps/api/redirect/preview/send-preview.ts': 'whether a link has expired',
  'apps/api/stats/breakdowns/breakdown-routes.ts': 'the range that is asked for ends now',
  'apps/api/stats/exports/export-routes.ts': 'the range that is asked for ends now',
  'apps/api/stats/filtered/filtered-routes.ts': 'the range that is asked for ends now',
  'apps/api/stats/link-stats-routes.ts': 'the range that is asked for ends now',
  'apps/api/stats/live/live-source.ts': 'the last minutes are counted up to now',
  'apps/api/stats/orphans/orphan-routes.ts': 'the range that is asked for ends now',
  'apps/api/stats/top-links/rank-by-last-visit.ts': 'days are read from now backwards',
  'apps/api/stats/top-links/top-links-route.ts': 'the window that is asked for ends now',
  'apps/api/visits/keep-in-queue.ts': 'the time of a visit',
  'apps/api/visits/count-pending.ts': 'up to when visits are recorded',
  'apps/api/visits/record-visits.ts': 'up to when visits are recorded',
  'apps/api/visits/segments/segment-batch.ts': 'the time of a visit, until it is read',
  'apps/api/visits/visit-spool.ts': 'the time of a visit',
  'apps/shared/visits/visit-queue-backend.ts': 'when BullMQ has to look after a job again',
  'apps/api/write-counts.ts': 'the day of what is counted',
  'apps/dashboard/src/text/now.ts': 'times are shown relative to now',
  'apps/worker/maintenance/reclassify-days.ts': 'which days are over',
  'apps/worker/recording/describe/bound-times.ts': 'where the database has no time to tell',
  'apps/worker/recording/number-texts.ts': 'the other clock stands still while the machine sleeps',
  'apps/worker/recording/jobs/record-jobs.ts': 'the time of a visit; when a delayed job is due',
  'apps/worker/recording/jobs/worker-metrics.ts': 'how old visits are when they are recorded',
  'apps/worker/seed/seed-database.ts': 'the times of made-up visits',
  'apps/worker/verify/compare-counts.ts': 'which days are over',
  'apps/worker/verify/repair-counts.ts': 'which days are over',
  'apps/api/resource/list/export-route.ts': 'today’s date in a file’s name',
  'apps/api/resource/list/list-route.ts': 'the window that is asked for ends now',
  'apps/api/stats/raw/longest-range.ts': 'a range ends now at the latest',
  'apps/dashboard/src/api/connection.ts':
    'the other clock may stand still while the computer sleeps; a clock set back proves nothing',
  'apps/dashboard/src/page/freshness.tsx': 'the time of what is shown',
  'apps/dashboard/src/report/series/time-chart.tsx': 'a period ends now at the latest',
  'apps/dashboard/src/text/times.ts': 'whether a time is today',
}

const wallClock = /\bDate\.now\b|\bnew Date\(\)|(?<![.\w])Date\(\)/

it('deadlines, ages and expiries are measured by a clock that does not jump', async () => {
  const found: string[] = []
  for await (const file of glob('apps/**/*.{ts,tsx,mjs}', {
    cwd: root,
    exclude: name => name === 'node_modules' || name.endsWith('node_modules'),
  })) {
    if (wallClock.test(readFileSync(join(root, file), 'utf8'))) found.push(file)
  }
  expect(
    found.sort(),
    'use performance.now(); what is stored or shown is added to the list in this test',
  ).toEqual(Object.keys(readsWallClock).sort())
})
