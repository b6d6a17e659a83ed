import { expect, test } from 'vitest'
import { lettersOf } from '../../apps/shared/letter-codes.ts'
import { describeVisits } from '../../apps/worker/recording/describe/describe-visits.ts'
import { createVisitColumns } from '../../apps/worker/recording/visit-columns.ts'

test.each([
  ['de-CH', 'de'],
  ['DE_at', 'de'],
  ['eng-US', 'en'],
  ['ger', 'de'],
  ['zh-Hant-TW', 'zh'],
  ['cmn-Hans', 'zh'],
  ['in-ID', 'id'],
  ['iw', 'he'],
  ['yue', 'yue'],
  // What they stand for has a script or a region
  ['sh', 'sr'],
  ['hbs', 'sr'],
  ['prs', 'fa'],
  ['cnr-ME', 'sr'],
  // No languages
  ['mul', ''],
  ['zxx', ''],
  ['und', ''],
  ['xx', ''],
  ['qaa', ''],
  ['*', ''],
  ['C', ''],
  ['english', ''],
  ['x-klingon', ''],
  ['<b>', ''],
  [undefined, ''],
])('the accepted language %j is counted as %j', (language, counted) => {
  const columns = createVisitColumns()
  const visit = { linkId: 1, visitedAt: 0, referrer: undefined, userAgent: undefined, address: undefined }
  const bounds = { from: 0, to: Number.MAX_SAFE_INTEGER }
  describeVisits(columns, [{ ...visit, language }], { findCountry: () => 0, salts: new Map(), bounds })
  expect(lettersOf(columns.languages[0] ?? 0)).toBe(counted)
})
