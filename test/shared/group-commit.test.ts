import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createGroupCommit, untilNoneArrives } from '../../apps/shared/group-commit.ts'

test('items that arrive during a commit are committed together in the next one', async () => {
  const groups: number[][] = []
  const release: (() => void)[] = []
  const commits = createGroupCommit<number, number>({
    commit: async items => {
      groups.push(items)
      await new Promise<void>(resolve => release.push(resolve))
      return items.map(item => item * 10)
    },
  })
  const first = commits.add(1)
  await sleep(5)
  const later = [commits.add(2), commits.add(3), commits.add(4)]
  await sleep(5)
  expect(groups).toEqual([[1]])
  release.shift()?.()
  expect(await first).toBe(10)
  await sleep(5)
  release.shift()?.()
  expect(await Promise.all(later)).toEqual([20, 30, 40])
  expect(groups).toEqual([[1], [2, 3, 4]])
})

test('a failed commit rejects its own items and no others', async () => {
  let fail = true
  const commits = createGroupCommit<string, string>({
    commit: items => {
      if (fail) throw new Error('disk full')
      return items
    },
  })
  await expect(commits.add('a')).rejects.toThrow('disk full')
  fail = false
  expect(await commits.add('b')).toBe('b')
})

test('callbacks get what promises would, in the order of their items, whichever of them throws', async () => {
  const { promise: unhandled, resolve } = Promise.withResolvers<unknown>()
  process.once('unhandledRejection', resolve)
  const told: string[] = []
  let fail = false
  const commits = createGroupCommit<string, string>({
    commit: items => {
      if (fail) throw new Error('disk full')
      return items.map(item => item.toUpperCase())
    },
  })
  const put = (item: string) =>
    commits.put(
      item,
      result => told.push(result),
      error => told.push(String(error)),
    )
  put('a')
  commits.put(
    'b',
    () => {
      throw new Error('of the caller')
    },
    () => {},
  )
  put('c')
  expect(told).toEqual([])
  await commits.idle()
  expect(told).toEqual(['A', 'C'])
  expect(String(await unhandled)).toBe('Error: of the caller')
  fail = true
  put('d')
  await commits.idle()
  expect(told).toEqual(['A', 'C', 'Error: disk full'])
})

test('a group never exceeds its maximum weight, and a heavier item is committed alone', async () => {
  const groups: number[][] = []
  const commits = createGroupCommit<number, void>({
    weigh: item => item,
    maxWeight: 10,
    commit: async items => {
      groups.push(items)
      return []
    },
  })
  await Promise.all([4, 5, 6, 20, 1].map(commits.add))
  expect(groups).toEqual([[4, 5], [6], [20], [1]])
})

/** A spacing that no test waits for. */
const forever = 3_600_000

test('with spacing, an item alone is committed at once, and those that follow wait until there is enough', async () => {
  const groups: number[][] = []
  const commits = createGroupCommit<number, number>({
    commit: items => {
      groups.push(items)
      return items
    },
    spacing: { ms: forever, enough: (items, weight) => items >= 3 || weight >= 100 },
    weigh: item => item,
  })
  expect(await commits.add(1)).toBe(1)
  const waiting = [commits.add(2), commits.add(3)]
  await sleep(20)
  expect(groups).toEqual([[1]])
  expect(await commits.add(4)).toBe(4)
  expect(await Promise.all(waiting)).toEqual([2, 3])
  const light = commits.add(5)
  await sleep(20)
  // The weight of what is committed no longer counts.
  expect(groups).toEqual([[1], [2, 3, 4]])
  expect(await commits.add(95)).toBe(95)
  expect(await light).toBe(5)
  expect(groups).toEqual([[1], [2, 3, 4], [5, 95]])
})

test('with spacing, items wait no longer than that, and later ones are committed at once again', async () => {
  const groups: number[][] = []
  const commits = createGroupCommit<number, number>({
    commit: items => {
      groups.push(items)
      return items
    },
    spacing: { ms: 50, enough: () => false },
  })
  await commits.add(1)
  await Promise.all([commits.add(2), commits.add(3)])
  await commits.idle()
  await sleep(60)
  await commits.add(4)
  expect(groups).toEqual([[1], [2, 3], [4]])
})

test('every item is committed once and gets its own result, whatever the timing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3), { maxLength: 60 }),
      fc.integer({ min: 1, max: 3 }),
      fc.option(fc.nat(5), { nil: undefined }),
      async (pauses, concurrentCommits, spacingMs) => {
        const committed: number[] = []
        const commits = createGroupCommit<number, string>({
          concurrentCommits,
          maxWeight: 7,
          ...(spacingMs !== undefined && { spacing: { ms: spacingMs, enough: items => items > 4 } }),
          commit: async items => {
            await sleep(items.length % 3)
            committed.push(...items)
            return items.map(String)
          },
        })
        const results: Promise<string>[] = []
        for (const [index, pause] of pauses.entries()) {
          results.push(commits.add(index))
          if (pause > 0) await sleep(pause - 1)
        }
        expect(await Promise.all(results)).toEqual(pauses.map((_, index) => String(index)))
        await commits.idle()
        expect(committed.sort((a, b) => a - b)).toEqual(pauses.map((_, index) => index))
      },
    ),
    { numRuns: 30 },
  )
})

test('a group can gather as long as items arrive in every turn of the event loop, but not for ever', async () => {
  const groups: number[][] = []
  const commits = createGroupCommit<number, number>({
    commit: items => {
      groups.push(items)
      return items
    },
    gather: untilNoneArrives,
  })
  /** Adds one item in each of so many turns. */
  async function addInTurns(items: number): Promise<void> {
    const added: Promise<number>[] = []
    for (let i = 0; i < items; i++) {
      // Before the commit looks at the end of the turn.
      const turn = new Promise<void>(resolve => setImmediate(resolve))
      added.push(commits.add(i))
      await turn
    }
    await Promise.all(added)
  }
  await addInTurns(5)
  expect(groups).toEqual([[0, 1, 2, 3, 4]])
  groups.length = 0
  await addInTurns(100)
  expect(groups.length).toBeGreaterThan(5)
  expect(groups.flat()).toHaveLength(100)
})
