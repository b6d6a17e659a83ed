/**
 * What `npm start`, `npm run dev` and `npm test` run first, before anything is installed: plain JavaScript for any Node.js
 * 18 or newer. It installs what is missing and runs the program with the pinned Node.js 26. Every failure is one line that
 * says what to do.
 *
 * It ends with npm, even if npm is killed, and passes signals on to the program, which ends with it. The scripts in
 * package.json `exec` it: with a shell in between, a signal to npm would end the shell only.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { linkPostgresLibraries } from './link-postgres-libraries.mjs'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const binaries = join(root, 'node_modules', '.bin')
const pnpm = 'pnpm@12.21.0'

const launcher = { file: 'node', prepare: async () => {}, ipc: true, patienceMs: 15_000 }
const programs = {
  start: { ...launcher, args: ['apps/stack/start.ts'] },
  dev: { ...launcher, args: ['apps/stack/start.ts', '--watch'] },
  // Vitest waits for the tests under way; its watchdog ends what they have started.
  test: { file: 'vitest', args: ['run'], prepare: provideTestPrograms, ipc: false, patienceMs: 5_000 },
  /** Only installs: `npm run setup`. */
  setup: undefined,
}

/** The process under way, whose end is awaited. */
let running
let patienceMs = 5_000
let stopping = false

stopWithParentAndOnSignals()
await main(process.argv[2], process.argv.slice(3))

async function main(name, args) {
  if (!Object.hasOwn(programs, name ?? ''))
    fail(`usage: node apps/stack/bootstrap.mjs ${Object.keys(programs).join('|')} [arguments]`)
  if (process.platform === 'win32')
    fail('on Windows, run this inside WSL (https://learn.microsoft.com/windows/wsl)')
  await provideLibatomic()
  await installPackages()
  await buildDashboard()
  const program = programs[name]
  if (program === undefined) process.exit()
  await program.prepare()
  handOver(program, args)
}

/** The pinned Node needs libatomic.so.1, which a minimal Debian or Ubuntu lacks. */
async function provideLibatomic() {
  if (process.platform !== 'linux' || hasSharedLibrary('libatomic.so.1')) return
  if (canUseApt() && (await aptInstall(['libatomic1']))) return
  fail(
    'libatomic.so.1 is missing: install it (Debian, Ubuntu: apt-get install libatomic1; Fedora: dnf install libatomic)',
  )
}

function hasSharedLibrary(name) {
  for (const ldconfig of ['ldconfig', '/sbin/ldconfig', '/usr/sbin/ldconfig']) {
    const listed = spawnSync(ldconfig, ['-p'], { encoding: 'utf8' })
    if (listed.status === 0) return listed.stdout.includes(name)
  }
  // Without ldconfig: the usual folders, and those of Debian, one per architecture.
  const folders = ['/lib', '/lib64', '/usr/lib', '/usr/lib64'].filter(existsSync)
  const below = folders.flatMap(folder => readdirSync(folder).map(entry => join(folder, entry)))
  return [...folders, ...below].some(folder => existsSync(join(folder, name)))
}

/** Installs if the lockfile is not the one that was installed last, or was installed on another kind of machine. */
async function installPackages() {
  const stamp = join(root, 'node_modules', '.installed-lock')
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex')
  const wanted = `${lock} ${process.platform} ${process.arch}\n`
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(join(binaries, 'node')))
    return
  say('installing packages (once)')
  const install = await run(
    'npx',
    ['--yes', '--prefer-offline', pnpm, 'install', '--frozen-lockfile', '--reporter=append-only'],
    // Without a terminal, pnpm does not ask before it replaces the node_modules of another installation.
    { CI: 'true' },
  )
  if (install.error !== undefined) fail(`npx did not start (${install.error.message}): is npm on the PATH?`)
  if (install.code !== 0) {
    process.stderr.write(install.output)
    fail('the packages could not be installed: see the lines above')
  }
  linkPostgresLibraries(root)
  writeFileSync(stamp, wanted)
}

/** Builds the page that the API serves, unless it was built from these sources. Everything else works without it. */
async function buildDashboard() {
  const build = await run(join(binaries, 'node'), ['apps/dashboard/build.ts', '--if-changed'])
  if (build.code === 0) return
  process.stderr.write(build.output)
  say('the dashboard could not be built (see the lines above); the API runs without it')
}

async function provideTestPrograms() {
  await provideRedis()
  await provideBrowser()
}

/** Tests of the Redis queue need a server. Without one they are skipped, unless HOPCOUNT_REQUIRE_REDIS=1. */
async function provideRedis() {
  if (process.env.TEST_REDIS_URL || isOnPath('redis-server') || isOnPath('valkey-server')) return
  if (canUseApt() && (await aptInstall(['redis-server']))) {
    // The package's own service is not needed: each test starts its server on a port of its own.
    if (existsSync('/run/systemd/system')) spawnSync('systemctl', ['disable', '--now', 'redis-server'])
    return
  }
  say('neither redis-server nor valkey-server is on the PATH: tests that need one are skipped')
  say(
    'to run them: apt-get install redis-server, dnf install valkey or brew install redis, or set TEST_REDIS_URL',
  )
  if (process.env.HOPCOUNT_REQUIRE_REDIS === '1') fail('HOPCOUNT_REQUIRE_REDIS=1, but there is no Redis')
}

/** Tests of the dashboard need a browser. Without one they are skipped, unless HOPCOUNT_REQUIRE_BROWSER=1. */
async function provideBrowser() {
  if (['chromium', 'chromium-browser', 'google-chrome'].some(isOnPath)) return
  if (canUseApt() && (await aptInstall(['chromium']))) return
  say('chromium is not on the PATH: browser tests of the dashboard are skipped')
  say('to run them: apt-get install chromium, dnf install chromium or brew install chromium')
  if (process.env.HOPCOUNT_REQUIRE_BROWSER === '1')
    fail('HOPCOUNT_REQUIRE_BROWSER=1, but there is no browser')
}

function isOnPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .some(folder => folder !== '' && existsSync(join(folder, name)))
}

function canUseApt() {
  return process.platform === 'linux' && process.geteuid() === 0 && isOnPath('apt-get')
}

/** True if all packages are installed now. RUNLEVEL=1 keeps a package from starting its service (invoke-rc.d(8)). */
async function aptInstall(packages) {
  say(`installing ${packages.join(', ')} with apt-get (once)`)
  const apt = async (...args) => {
    const { code } = await run('apt-get', ['-qq', ...args], {
      DEBIAN_FRONTEND: 'noninteractive',
      RUNLEVEL: '1',
    })
    return code === 0
  }
  // The lists may be stale or partly unreachable: what counts is whether the package installs.
  await apt('update')
  return apt('install', '-y', '--no-install-recommends', ...packages)
}

/** Runs a command to its end. Its output is returned, not shown. */
function run(file, args, environment = {}) {
  return new Promise(resolve => {
    const child = spawn(file, args, {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running = child
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', text => {
        output += text
      })
    child.once('error', error => resolve({ error, code: undefined, output }))
    child.once('close', code => {
      if (stopping) process.exit(1)
      resolve({ error: undefined, code, output })
    })
  })
}

/**
 * Runs the program in place of this one: its signals, its output, its exit code. The program is in a group of its own
 * and gets signals from here only: a Ctrl-C reaches this process from the terminal and again from npm, but the program
 * must receive it once (a second signal tells it to hurry).
 */
function handOver(program, args) {
  const child = spawn(join(binaries, program.file), [...program.args, ...args], {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${binaries}${delimiter}${process.env.PATH ?? ''}`,
      HOPCOUNT_BOOTSTRAP: String(process.pid),
    },
    stdio: ['inherit', 'inherit', 'inherit', ...(program.ipc ? ['ipc'] : [])],
    detached: true,
  })
  running = child
  patienceMs = program.patienceMs
  child.on('error', error => fail(`${program.file} did not start: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

function stopWithParentAndOnSignals() {
  let lastSignalAt = Number.NEGATIVE_INFINITY
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (performance.now() - lastSignalAt > 500) stop(signal)
      lastSignalAt = performance.now()
    })
  }
  // Started by hand, the parent is a shell, which may end before.
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const check = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(check)
    stop('SIGTERM')
  }, 250)
  check.unref()
}

/** Passes the signal on; what does not end in time is killed, and the program's watchdog ends what it leaves. */
function stop(signal) {
  if (running === undefined) process.exit(1)
  running.kill(signal)
  if (!stopping) setTimeout(() => running.kill('SIGKILL'), patienceMs)
  stopping = true
}

function say(text) {
  process.stderr.write(`hopcount: ${text}\n`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
