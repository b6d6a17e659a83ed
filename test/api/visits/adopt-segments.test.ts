import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newProducerId, openProducerFolder, segmentPath } from '../../../apps/api/visits/producer-folder.ts'
import type { Adoption } from '../../../apps/api/visits/segments/adopt-segments.ts'
import { createAdoption } from '../../../apps/api/visits/segments/adopt-segments.ts'
import { openLog } from '../../../apps/shared/log.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { waitUntil } from '../../support/wait-until.ts'

function adoptionIn(spoolDir: string): Adoption {
  return createAdoption({
    spoolDir,
    ownProducerId: newProducerId(),
    deliverer: { fill: () => {}, holds: () => false },
    kept: { found: () => {}, keep: async () => {} },
    log: openLog({ name: 'test', level: 'silent' }),
    onDamage: () => {},
    onUnreadable: async () => {},
  })
}

function leaveSegments(spoolDir: string, states: ('open' | 'sealed')[]): string {
  const folder = join(spoolDir, newProducerId())
  mkdirSync(folder)
  for (const [index, state] of states.entries()) writeFileSync(segmentPath(folder, index + 1, state), 'x')
  return folder
}

test('sealed segments that a producer left behind when it closed are adopted at once', async () => {
  const spoolDir = temporaryFolder()
  leaveSegments(spoolDir, ['sealed', 'sealed'])
  const adoption = adoptionIn(spoolDir)
  await adoption.sweep()
  expect(adoption.waiting()).toBe(2)
})

test('an open segment without a socket is left to its producer for a while, which may be restoring the socket', async () => {
  const spoolDir = temporaryFolder()
  const folder = leaveSegments(spoolDir, ['sealed', 'open'])
  const adoption = adoptionIn(spoolDir)
  await adoption.sweep()
  await adoption.sweep()
  expect(adoption.waiting()).toBe(0)
  expect(readdirSync(folder)).toEqual(['000000000001.sealed', '000000000002.open'])
  await waitUntil(
    async () => {
      await adoption.sweep()
      return adoption.waiting() === 2
    },
    { what: 'they are adopted' },
  )
})

test('a producer restores its folder and its socket, and is alive again for others', async () => {
  const spoolDir = temporaryFolder()
  const folder = await openProducerFolder(spoolDir)
  expect(await folder.restore()).toBe(false)
  rmSync(join(folder.path, 'alive'))
  expect(await Promise.all([folder.restore(), folder.restore()])).toEqual([true, true])
  rmSync(spoolDir, { recursive: true })
  expect(await folder.restore()).toBe(true)
  writeFileSync(segmentPath(folder.path, 1, 'open'), 'x')
  const adoption = adoptionIn(spoolDir)
  await adoption.sweep()
  expect(adoption.waiting()).toBe(0)
  await folder.close()
})
