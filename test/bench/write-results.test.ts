import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'
import type { Goal, PartResult } from './bench-part.ts'
import { summarize } from './summary.ts'
import { writeOverview } from './write-overview.ts'
import { writePart } from './write-results.ts'

test('figures of one vendor’s processors leave those of another in place, and the overview shows both', () => {
  const folder = temporaryFolder()
  const write = (processor: string, goals: Goal[]) =>
    writePart({
      folder,
      processor,
      name: 'redirect',
      title: 'Redirects',
      result: resultWith(goals),
      conditions: [`machine: a processor of ${processor}`],
    })
  write('amd', [ratioGoal('redirects/s', 1.5), ratioGoal('only measured on AMD', 1)])
  write('intel', [ratioGoal('redirects/s', 0.9)])
  write('intel', [ratioGoal('redirects/s', 0.5)])
  writeOverview(folder, ['redirect', 'never-measured'])

  const overview = readFileSync(join(folder, 'README.md'), 'utf8')
  expect(overview.split('\n').filter(line => line.startsWith('|'))).toEqual([
    '| part | goal | target | AMD | Intel |',
    '| --- | ---: | ---: | ---: | ---: |',
    '| redirect | redirects/s | ≥ 1× | [1.5×](amd/redirect.md) | [0.5× **no**](intel/redirect.md) |',
    '| redirect | only measured on AMD | ≥ 1× | [1×](amd/redirect.md) |  |',
  ])
  expect(overview).toContain(
    'AMD:\n\n- machine: a processor of amd\n\nIntel:\n\n- machine: a processor of intel',
  )
})

function ratioGoal(what: string, measured: number): Goal {
  return { what, measured, must: 'at least', bound: 1, unit: '×' }
}

function resultWith(goals: Goal[]): PartResult {
  const bars = [{ label: 'Hopcount', value: summarize([1]) }]
  return { goals, tables: [], plot: { title: 'Redirects', unit: 'requests/s', bars }, notes: [] }
}
