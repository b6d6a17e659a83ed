import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createTurns } from '../../../apps/api/stats/turns.ts'

const refusal = { status: 503, message: 'Please try again.', headers: { 'retry-after': '2' } }
const longMs = 60_000

describe('turns for slow operations', () => {
  it('admits the next waiter when a turn ends, in order of arrival', async () => {
    const turns = createTurns({ max: 1, waitMs: longMs, refusal: 'Please try again.' })
    const endFirst = await turns.take()
    const begun: string[] = []
    const begin = async (name: string) => {
      const end = await turns.take()
      begun.push(name)
      return end
    }
    const second = begin('second')
    await sleep(20)
    expect(begun).toEqual([])
    endFirst()
    const endSecond = await second
    const third = begin('third')
    await sleep(20)
    expect(begun).toEqual(['second'])
    endSecond()
    await third
    expect(begun).toEqual(['second', 'third'])
  })

  it('refuses immediately when as many wait as may run', async () => {
    const turns = createTurns({ max: 2, waitMs: longMs, refusal: 'Please try again.' })
    const running = await Promise.all([turns.take(), turns.take()])
    const waiting = [turns.take(), turns.take()]
    await expect(turns.take()).rejects.toMatchObject(refusal)
    for (const end of running) end()
    for (const end of await Promise.all(waiting)) end()
    await turns.take()
  })

  it('refuses a waiter after the maximum wait, and gives the turn to the next', async () => {
    const turns = createTurns({ max: 1, waitMs: 50, refusal: 'Please try again.' })
    const end = await turns.take()
    await expect(turns.take()).rejects.toMatchObject(refusal)
    const next = turns.take()
    end()
    await next
  })

  it('refuses without waiting if no wait is allowed', async () => {
    const turns = createTurns({ max: 1, waitMs: 0, refusal: 'Please try again.' })
    const end = await turns.take()
    await expect(turns.take()).rejects.toMatchObject(refusal)
    end()
    await turns.take()
  })

  it('frees only one place, however often a turn is ended', async () => {
    const turns = createTurns({ max: 1, waitMs: 0, refusal: 'Please try again.' })
    const end = await turns.take()
    end()
    end()
    await turns.take()
    await expect(turns.take()).rejects.toMatchObject(refusal)
  })
})
