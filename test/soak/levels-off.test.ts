import { describe, expect, test } from 'vitest'
import { seededRandom } from '../faults/seeded-random.ts'
import { judgeCourse } from './levels-off.ts'

const allowance = { relative: 0.05, absolute: 6 }
const levelsOff = (samples: number[]) => judgeCourse(samples, allowance).levelsOff
const random = seededRandom('soak')
const noise = (size: number) => random.between(-size, size)
const series = (length: number, value: (share: number, index: number) => number) =>
  Array.from({ length }, (_, i) => value(i / length, i))

describe('these level off', () => {
  test('a plateau with noise', () => {
    for (let run = 0; run < 200; run++) expect(levelsOff(series(120, () => 110 + noise(7)))).toBe(true)
  })

  test('the sawtooth of a garbage collector', () => {
    expect(levelsOff(series(120, (_, i) => 90 + (i % 17) * 3 + noise(2)))).toBe(true)
    expect(levelsOff(series(60, (_, i) => 60 + (i % 13) * 2))).toBe(true)
  })

  test('a slow warm-up that ends late in the run', () => {
    for (const timeConstant of [0.05, 0.1, 0.2, 0.3])
      expect(levelsOff(series(120, share => 180 - 100 * Math.exp(-share / timeConstant) + noise(2)))).toBe(
        true,
      )
  })

  test('a step, such as a pool that opens its last connection', () => {
    expect(levelsOff(series(120, share => (share < 0.4 ? 100 : 120) + noise(2)))).toBe(true)
  })

  test('a single outlier at the end', () => {
    expect(levelsOff([...series(119, () => 100 + noise(2)), 900])).toBe(true)
  })

  test('a falling series, and one that is always zero', () => {
    expect(levelsOff(series(120, share => 200 - 80 * share))).toBe(true)
    expect(levelsOff(series(120, () => 0))).toBe(true)
  })
})

describe('these keep growing', () => {
  test('a leak, whatever the noise', () => {
    for (let run = 0; run < 200; run++)
      expect(levelsOff(series(120, share => 100 + 60 * share + noise(6)))).toBe(false)
  })

  test('a leak under the sawtooth of a garbage collector', () => {
    expect(levelsOff(series(120, (share, i) => 90 + 60 * share + (i % 17) * 2 + noise(2)))).toBe(false)
  })

  test('a leak that begins after the warm-up', () => {
    expect(levelsOff(series(120, share => 80 + 20 * (1 - Math.exp(-share / 0.05)) + 60 * share))).toBe(false)
  })

  test('a leak that begins in the middle of the run, and one that accelerates', () => {
    expect(levelsOff(series(120, share => 100 + 80 * Math.max(0, share - 0.4)))).toBe(false)
    expect(levelsOff(series(120, share => 100 + 60 * share ** 2))).toBe(false)
  })

  test('file handles that are opened and not closed', () => {
    const { levelsOff, start, middle, end } = judgeCourse(
      series(120, (_, i) => 40 + i),
      {
        relative: 0,
        absolute: 8,
      },
    )
    expect({ levelsOff, start, middle, end }).toEqual({
      levelsOff: false,
      start: 84.5,
      middle: 114.5,
      end: 144.5,
    })
  })
})

test('too few samples are an error, not a success', () => {
  expect(() => levelsOff([1, 2, 3])).toThrow('too few')
})
