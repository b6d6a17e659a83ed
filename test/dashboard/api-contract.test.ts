import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  filterNames,
  reservedWords,
  sorts,
  states,
  visitSorts,
  windows,
} from '../../apps/dashboard/src/address.ts'
import { startApi } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'

interface Parameter {
  name: string
  schema: { anyOf?: { enum: string[] }[] }
}

describe('the page and the API agree', () => {
  let paths: Record<string, { get: { parameters: Parameter[] } }>
  beforeAll(async () => {
    const { origin } = await startApi({ databaseUrl: (await createTestDatabase()).url })
    const response = await fetch(`${origin}/openapi.json`)
    paths = ((await response.json()) as { paths: typeof paths }).paths
  }, 120_000)

  it('on the words that can’t be slugs because they are paths of the API', () => {
    const words = Object.keys(paths).map(path => /^\/stats\/(\w+)/.exec(path)?.[1])
    expect(paths).toHaveProperty(['/stats/{slug}'])
    expect([...reservedWords].sort()).toEqual([...new Set(words)].filter(Boolean).sort())
  })

  it('on the windows and sort orders of the list, and on the filters', () => {
    expect(choices('/stats', 'window')).toEqual([...windows])
    expect(choices('/stats', 'sort')).toEqual([...visitSorts])
    expect(choices('/api/links', 'window')).toEqual([...windows])
    expect(choices('/api/links', 'sort')).toEqual(expect.arrayContaining([...sorts]))
    const { parameters } = paths['/stats/{slug}/filtered']?.get ?? { parameters: [] }
    const others = ['slug', 'interval', 'from', 'to', 'tz', 'limit', 'compare', 'sort', 'top_links']
    const filters = parameters.map(({ name }) => name).filter(name => !others.includes(name))
    expect(filters.sort()).toEqual([...filterNames].sort())
  })

  it('on the states of links', () => {
    expect(choices('/api/links', 'status')).toEqual([...states])
  })

  function choices(path: string, name: string): string[] | undefined {
    const parameter = paths[path]?.get.parameters.find(parameter => parameter.name === name)
    return parameter?.schema.anyOf?.flatMap(choice => choice.enum)
  }
})

describe('the page takes from the API', () => {
  it('only the types of its schemas, no code', () => {
    const imports = globSync('apps/dashboard/src/**/*.{ts,tsx}').flatMap(file =>
      [...readFileSync(file, 'utf8').matchAll(/^(import|export)\b[^']*?from '([^']*)'/gm)].map(
        ([statement, , from = '']) => ({ statement, target: join(dirname(file), from) }),
      ),
    )
    const fromApi = imports.filter(({ target }) => target.startsWith('apps/api/'))
    expect(fromApi.length).toBeGreaterThan(5)
    for (const { statement, target } of fromApi) {
      expect(statement).toMatch(/^import type /)
      expect(target).toMatch(/(-schema|\/counts)\.ts$/)
    }
  })
})
