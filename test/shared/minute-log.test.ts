import { expect, test } from 'vitest'
import type { Log } from '../../apps/shared/log.ts'
import { createMinuteLog } from '../../apps/shared/log.ts'

test('what happens often is one line a minute, not one line each time', () => {
  const lines: unknown[][] = []
  const warn = createMinuteLog(
    { warn: (...line: unknown[]) => lines.push(line) } as unknown as Log,
    'visits are late',
  )
  warn(0, {})
  expect(lines).toEqual([])
  for (let i = 0; i < 100; i++) warn(3, { producer: 'a' })
  expect(lines).toEqual([[{ count: 3, producer: 'a' }, 'visits are late']])
})
