import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../support/processes.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { findImportFaults } from './import-faults.ts'

/** The faults of a tree with these files. */
function faultsOf(files: Record<string, string>): string[] {
  const tree = temporaryFolder()
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), source)
  }
  return findImportFaults(tree)
}

test('the files of this project import each other in order', () => {
  expect(findImportFaults(root)).toEqual([])
})

test('imports that only lead down are no fault, of packages and across folders', () => {
  expect(
    faultsOf({
      'apps/api/main.ts': `import pg from 'pg'\nimport { links } from './links/links.ts'\nimport './stats/stats.ts'`,
      'apps/api/links/links.ts': `import type { Days } from '@hopcount/shared/days.ts'\nexport const links = 1`,
      'apps/api/stats/stats.ts': `export { links } from '../links/links.ts'`,
      'apps/shared/days.ts': `export interface Days {}`,
    }),
  ).toEqual([])
})

test('a circle of files is a fault, of however many', () => {
  expect(
    faultsOf({
      'apps/api/a.ts': `import { b } from './b.ts'`,
      'apps/api/b.ts': `import {\n  c,\n} from './c.ts'`,
      'apps/api/c.ts': `import './a.ts'`,
    }),
  ).toEqual(['these files import each other: apps/api/a.ts → apps/api/b.ts → apps/api/c.ts → apps/api/a.ts'])
})

test.each([
  ['a type import', `import type { A } from './a.ts'`],
  ['a type imported in place', `export type B = import('./a.ts').A`],
  ['a re-export', `export * from "./a.ts"`],
  ['a dynamic import', `export const later = () => import('./a.ts')`],
  ['the name of its package', `import { a } from '@hopcount/dashboard/src/a.ts'`],
])('a circle of files is a fault when it is closed by %s', (_, closing) => {
  expect(
    faultsOf({
      'apps/dashboard/src/a.ts': `import { b } from './b.tsx'`,
      'apps/dashboard/src/b.tsx': closing,
    }),
  ).toEqual([expect.stringMatching(/^these files import each other: /)])
})

test('a circle of sibling folders is a fault although no two files import each other', () => {
  expect(
    faultsOf({
      'apps/api/stats/day.ts': `import { link } from '../links/deep/link.ts'`,
      'apps/api/links/deep/link.ts': '',
      'apps/api/links/page.ts': `import { week } from '../stats/week.ts'`,
      'apps/api/stats/week.ts': '',
    }),
  ).toEqual([
    'in apps/api: links → stats → links (apps/api/links/page.ts imports apps/api/stats/week.ts; apps/api/stats/day.ts imports apps/api/links/deep/link.ts)',
  ])
})

test('a circle of a folder and a file beside it is a fault, at any depth', () => {
  expect(
    faultsOf({
      'apps/worker/verify/days/compare.ts': `import { limit } from '../limit.ts'`,
      'apps/worker/verify/limit.ts': `import { other } from './days/other.ts'`,
      'apps/worker/verify/days/other.ts': '',
    }),
  ).toEqual([
    expect.stringMatching(/^in apps\/worker\/verify: (days → limit.ts → days|limit.ts → days → limit.ts) /),
  ])
})

test.each([
  ['apps/api/a.ts', 'apps/worker/b.ts'],
  ['apps/worker/a.ts', 'apps/api/b.ts'],
  ['apps/api/a.ts', 'apps/stack/b.ts'],
  ['apps/shared/a.ts', 'apps/api/b.ts'],
  ['apps/dashboard/src/a.tsx', 'apps/api/b.ts'],
])('%s may not import %s', (from, to) => {
  const specifier = `@hopcount/${to.slice('apps/'.length)}`
  expect(faultsOf({ [from]: `import { b } from '${specifier}'`, [to]: '' })).toEqual([
    `${from} imports ${to}: an app may import itself and apps/shared, nothing else`,
  ])
})

test('the page may import types of the API, and nothing else of it', () => {
  const files = { 'apps/api/b.ts': '', 'apps/worker/c.ts': `import type { b } from '../api/b.ts'` }
  const type = `import type {\n  b,\n} from '../../api/b.ts'`
  expect(faultsOf({ 'apps/api/b.ts': '', 'apps/dashboard/src/a.ts': type })).toEqual([])
  expect(faultsOf(files)).toHaveLength(1)
})
