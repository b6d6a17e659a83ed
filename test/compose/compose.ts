/**
 * `npm run test:compose`: builds the image, runs the whole stack in containers, and counts. One line per check; the first
 * that fails ends the run. Whatever happens, nothing of it is left on the machine but the build cache.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntil } from '../support/wait-until.ts'
import type { ComposeProject } from './compose-project.ts'
import { openProject, whyNoEngine } from './compose-project.ts'
import type { Link, Tally } from './traffic.ts'
import { ask, follow, followTimes, shorten } from './traffic.ts'

const wholeRunMs = 20 * 60_000
let passed = 0
let failed = 0

const reason = await whyNoEngine()
if (reason === undefined) await run()
else if (process.env.HOPCOUNT_REQUIRE_ENGINE === '1') {
  failed++
  say(`FAIL  HOPCOUNT_REQUIRE_ENGINE=1, and there is no container engine: ${reason}`)
} else say(`no container engine: skipped (${reason})`)
say(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

async function run(): Promise<void> {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.abort())
  const project = await openProject(AbortSignal.any([stop.signal, AbortSignal.timeout(wholeRunMs)]))
  try {
    await checkStack(project)
  } catch {
    say(await project.compose(['logs', '--no-color', '--tail', '30']).catch(() => ''))
  } finally {
    await check('nothing of the project is left', async () => {
      await project.remove()
      const left = [
        await project.list('container'),
        await project.list('volume'),
        await project.list('network'),
      ]
      assert(left.flat().length === 0, `${left.flat().length} containers, volumes or networks are left`)
    }).catch(() => {})
  }
}

async function checkStack(project: ComposeProject): Promise<void> {
  const { compose, docker, addresses } = project
  const up = (...args: string[]) => compose(['up', '--detach', '--wait', '--wait-timeout', '120', ...args])
  let link: Link = { slug: '', longUrl: 'https://example.com/in/containers?a=1&b=%20' }
  /** Of the link, as far as it is certain. */
  let counted = 0

  await check('the image builds', async () => {
    await compose(['build'], 900)
    const bytes = Number(await docker(['image', 'inspect', '--format', '{{.Size}}', project.image]))
    return `${Math.round(bytes / 1e6)} MB`
  })

  await check('the stack comes up healthy without a .env', async () => {
    await up()
    const answer = await ask(addresses, '/readyz')
    assert(answer.ok, `/readyz was answered ${answer.status}`)
  })

  await check(
    'API and worker run without root, capabilities or a file system that they could change',
    async () => {
      for (const service of ['api', 'worker']) {
        const status = await compose(['exec', '-T', service, 'cat', '/proc/self/status'])
        assert(/^Uid:\s+[1-9]/m.test(status), `${service} runs as root`)
        assert(
          /^CapPrm:\s+0+$/m.test(status) && /^CapBnd:\s+0+$/m.test(status),
          `${service} has capabilities`,
        )
        assert(/^NoNewPrivs:\s+1$/m.test(status), `${service} may gain privileges`)
        const touch = ['exec', '-T', service, 'sh', '-c', 'touch /app/x 2>/dev/null || echo refused']
        assert((await compose(touch)) === 'refused', `${service} can write to its program`)
      }
    },
  )

  await check('500 redirects are counted as 500', async () => {
    link = await shorten(addresses, link.longUrl)
    await followTimes(addresses, link, 500)
    counted = await countOf(project, link, 500)
  })

  await check('four workers share 2,000 redirects and count each once', async () => {
    await up('--no-recreate', '--scale', 'worker=4')
    await followTimes(addresses, link, 2_000)
    counted = await countOf(project, link, counted + 2_000)
    const shares: number[] = []
    for (const index of [1, 2, 3, 4]) shares.push(await recordedBy(project, index))
    assert(
      shares.reduce((sum, share) => sum + share) === counted,
      `the workers counted ${shares.join(' + ')}`,
    )
    assert(shares.filter(share => share > 0).length > 1, `one worker did all: ${shares.join(', ')}`)
    return shares.join(' + ')
  })

  await check('a new API container takes over from an old one without a failed redirect', async () => {
    const old = await compose(['ps', '-q', 'api'])
    const load = startLoad(project, link)
    await up('--no-deps', '--no-recreate', '--scale', 'api=2', 'api')
    await docker(['stop', old])
    await docker(['rm', old])
    await sleep(500)
    const tally = await load.stop()
    assert(tally.failures.length === 0, `${tally.failures.length} failed, the first: ${tally.failures[0]}`)
    counted = await countOf(project, link, counted + tally.answered, counted + tally.attempted)
    return `${tally.answered} redirects meanwhile`
  })

  await check(
    'a stop under load ends every part in order and loses no visit, through down and up',
    async () => {
      const load = startLoad(project, link)
      await sleep(2_000)
      const seconds = await secondsOf(() => compose(['stop']))
      const { answered, attempted } = await load.stop()
      const codes = await compose(['ps', '--all', '--format', '{{.Service}} {{.ExitCode}}'])
      assert(!/ (?!0$)\d+$/m.test(codes), `ended with other codes than 0: ${codes.replaceAll('\n', ', ')}`)
      await compose(['down'])
      assert((await project.list('container')).length === 0, 'containers are left after down')
      assert((await project.list('volume')).length === 3, 'down took volumes along')
      await up()
      counted = await countOf(project, link, counted + answered, counted + attempted)
      return `${answered} redirects, stopped in ${seconds} s`
    },
  )

  await check('everything is there again after down and up', async () => {
    const top = (await (await ask(addresses, '/stats')).json()) as { slug: string; visits: number }[]
    assert(top.length === 1 && top[0]?.slug === link.slug, `/stats has ${JSON.stringify(top)}`)
    assert(top[0]?.visits === counted, `/stats says ${top[0]?.visits}, not ${counted}`)
    await followTimes(addresses, link, 100)
    counted = await countOf(project, link, counted + 100)
  })

  await check(
    'what a killed and removed API container had not handed over, the next one counts',
    async () => {
      await compose(['stop', 'worker', 'redis'])
      await followTimes(addresses, link, 300)
      await compose(['kill', '--signal', 'KILL', 'api'])
      await compose(['rm', '--force', 'api'])
      await up()
      counted = await countOf(project, link, counted + 300)
    },
  )
}

/** Prints how the check went; throws when it failed. A text that it resolves with is printed too. */
async function check(sentence: string, body: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now()
  try {
    const detail = await body()
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    say(`ok    ${sentence} (${seconds} s${typeof detail === 'string' ? `; ${detail}` : ''})`)
    passed++
  } catch (error) {
    say(`FAIL  ${sentence}: ${error instanceof Error ? error.message : String(error)}`)
    failed++
    throw error
  }
}

function assert(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(otherwise)
}

/** Waits until the link's statistics say `atLeast`, and sees that they then stand still at no more than `atMost`. */
async function countOf(
  project: ComposeProject,
  link: Link,
  atLeast: number,
  atMost = atLeast,
): Promise<number> {
  const read = async () => {
    const answer = await ask(project.addresses, `/stats/${link.slug}`)
    const { visits } = (await answer.json()) as { visits: number }
    return { visits, pending: Number(answer.headers.get('x-stats-pending')) }
  }
  let last: number | undefined
  await waitUntil(
    async () => {
      last = (await read()).visits
      return last >= atLeast
    },
    { what: `${atLeast} visits are counted`, deadlineMs: 60_000, everyMs: 100 },
  ).catch(() => assert(false, `${last} visits are counted, and ${atLeast} were answered`))
  await waitUntil(async () => (await read()).pending === 0, { what: 'no visit is pending', everyMs: 100 })
  await sleep(1_000)
  const { visits } = await read()
  assert(visits <= atMost, `${visits} visits are counted, and ${atMost} were attempted`)
  return visits
}

/** Visits that the worker with this number has recorded since it was started. */
async function recordedBy(project: ComposeProject, index: number): Promise<number> {
  const read = 'fetch("http://127.0.0.1:9091/metrics").then(a => a.text()).then(text => console.log(text))'
  const metrics = await project.compose([
    'exec',
    '-T',
    '--index',
    String(index),
    'worker',
    'node',
    '-e',
    read,
  ])
  return Number(/^hopcount_visits_recorded_total (\d+)$/m.exec(metrics)?.[1])
}

/** Visitors that go on until stopped. */
function startLoad(project: ComposeProject, link: Link): { stop(): Promise<Tally> } {
  let stopped = false
  const tally = follow(project.addresses, link, () => !stopped, 8)
  return {
    stop() {
      stopped = true
      return tally
    },
  }
}

async function secondsOf(action: () => Promise<unknown>): Promise<string> {
  const startedAt = performance.now()
  await action()
  return ((performance.now() - startedAt) / 1_000).toFixed(1)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
