import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { gateRows, nightlyRows } from './gate-rows.ts'
import { rows } from './rows.ts'

/** Other tests of the gate hold them (test/README.md names them), and rows that run nightly. */
const others = [
  'A batch id names immutable bytes',
  'Bounded memory',
  'Event time',
  'Redirects first',
  'Statistics cost what they show',
  'Breakdowns tell the truth',
  'Nobody reads or changes what their key does not allow',
  'A change of a link holds everywhere within 1 s',
]

test('every promise that only a fault can break has a row in the gate', () => {
  const document = readFileSync(new URL('../../apps/README.md', import.meta.url), 'utf8')
  const [section = ''] = /^## Promises\n.*?(?=^## )/ms.exec(document) ?? []
  const promises = [...section.matchAll(/^\d+\. \*\*(.+?)\.\*\*/gm)].map(([, title]) => title)
  expect(new Set([...gateRows.values(), ...others])).toEqual(new Set(promises))
})

test('a row is in the gate or left to the night, and none is listed twice', () => {
  expect(new Set(rows.map(row => row.number)).size).toBe(rows.length)
  expect(gateRows.size + nightlyRows.length).toBe(rows.length)
})
