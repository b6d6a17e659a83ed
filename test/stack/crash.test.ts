import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { freePort } from '../../apps/stack/processes/free-port.ts'
import { sendSignal } from '../../apps/stack/processes/running-process.ts'
import { isExact, judgeWhenDrained, startLoad } from '../support/checker.ts'
import { openPool, shorten } from '../support/hopcount.ts'
import { isNightly } from '../support/nightly.ts'
import { startStack } from '../support/stack.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const kills = isNightly ? 5 : 2

test(`after ${kills} SIGKILLs of everything under load, exactly the answered redirects are counted`, async () => {
  const folder = temporaryFolder()
  const port = String(await freePort())
  let stack = await startStack(folder, { PORT: port })
  await stack.waitForLine(/is ready/)
  const slugs = await Promise.all(Array.from({ length: 5 }, () => shorten(stack.address)))
  const load = startLoad({ origin: () => stack.address, slugs, connections: 8 })
  for (let round = 0; round < kills; round++) {
    await sleep(1_000 + Math.random() * 1_000)
    for (const pid of stack.everyPid()) sendSignal(pid, 'SIGKILL')
    await stack.exited
    stack = await startStack(folder, { PORT: port })
    await stack.waitForLine(/is ready/, 60_000)
  }
  await sleep(500)
  await load.stop()
  const pool = openPool(readFileSync(join(folder, '.data/database-url'), 'utf8').trim())
  const verdict = await judgeWhenDrained(pool, [load])
  expect({ ...verdict, exact: isExact(verdict) }).toMatchObject({
    lost: [],
    twice: [],
    invented: [],
    differences: [],
    exact: true,
  })
  expect(verdict.answered).toBeGreaterThan(500)
}, 180_000)
