/**
 * What `npm start` and `npm test` run first: plain JavaScript for any Node from 18 on, before anything is installed.
 * It installs what is missing and hands over to the pinned Node 26. Every failure is one line that says what to do.
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

const programs = {
  start: { file: 'node', args: ['apps/stack/start.ts'], prepare: () => {}, noticesOurEnd: true },
  test: { file: 'vitest', args: ['run'], prepare: provideTestPrograms, noticesOurEnd: false },
  /** Only installs: `npm run setup`. */
  setup: undefined,
}

main(process.argv[2], process.argv.slice(3))

function main(name, args) {
  if (!Object.hasOwn(programs, name ?? ''))
    fail(`usage: node apps/stack/bootstrap.mjs ${Object.keys(programs).join('|')} [arguments]`)
  if (process.platform === 'win32')
    fail('on Windows, run this inside WSL (https://learn.microsoft.com/windows/wsl)')
  provideLibatomic()
  installPackages()
  buildDashboard()
  const program = programs[name]
  if (program === undefined) return
  program.prepare()
  handOver(program, args)
}

/** The pinned Node needs libatomic.so.1, which a minimal Debian or Ubuntu lacks. */
function provideLibatomic() {
  if (process.platform !== 'linux' || hasSharedLibrary('libatomic.so.1')) return
  if (canUseApt() && aptInstall(['libatomic1'])) return
  fail(
    'libatomic.so.1 is missing: install it (Debian, Ubuntu: apt-get install libatomic1; Fedora: dnf install libatomic)',
  )
}

function hasSharedLibrary(name) {
  for (const ldconfig of ['ldconfig', '/sbin/ldconfig', '/usr/sbin/ldconfig']) {
    const listed = spawnSync(ldconfig, ['-p'], { encoding: 'utf8' })
    if (listed.status === 0) return listed.stdout.includes(name)
  }
  // Without ldconfig: the usual folders, and Debian's one per architecture.
  const folders = ['/lib', '/lib64', '/usr/lib', '/usr/lib64'].filter(existsSync)
  const below = folders.flatMap(folder => readdirSync(folder).map(entry => join(folder, entry)))
  return [...folders, ...below].some(folder => existsSync(join(folder, name)))
}

/** Installs when the lockfile is not the one that was installed last, or was installed on another kind of machine. */
function installPackages() {
  const stamp = join(root, 'node_modules', '.installed-lock')
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex')
  const wanted = `${lock} ${process.platform} ${process.arch}\n`
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(join(binaries, 'node')))
    return
  say('installing packages (once)')
  const install = spawnSync(
    'npx',
    ['--yes', pnpm, 'install', '--frozen-lockfile', '--reporter=append-only'],
    {
      cwd: root,
      encoding: 'utf8',
      // Without a terminal pnpm asks nothing when it replaces the node_modules of another installation.
      env: { ...process.env, CI: 'true' },
      maxBuffer: 64 * 1024 * 1024,
    },
  )
  if (install.error !== undefined) fail(`npx did not start (${install.error.message}): is npm on the PATH?`)
  if (install.status !== 0) {
    process.stderr.write(`${install.stdout}${install.stderr}`)
    fail('the packages could not be installed: the lines above say why')
  }
  linkPostgresLibraries(root)
  writeFileSync(stamp, wanted)
}

/** Makes the page that the API serves, unless it was made from these sources. Everything but the page works without it. */
function buildDashboard() {
  const build = spawnSync(join(binaries, 'node'), ['apps/dashboard/build.ts', '--if-changed'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (build.status === 0) return
  process.stderr.write(`${build.stdout ?? ''}${build.stderr ?? ''}`)
  say('the dashboard could not be built: the lines above say why; the API serves none')
}

function provideTestPrograms() {
  provideRedis()
  provideBrowser()
}

/** Tests of the Redis queue need a server. Without one they are skipped, unless HOPCOUNT_REQUIRE_REDIS=1. */
function provideRedis() {
  if (process.env.TEST_REDIS_URL || isOnPath('redis-server') || isOnPath('valkey-server')) return
  if (canUseApt() && aptInstall(['redis-server'])) {
    // The package's own service is of no use here: each test starts its server on a port of its own.
    if (existsSync('/run/systemd/system')) spawnSync('systemctl', ['disable', '--now', 'redis-server'])
    return
  }
  say('neither redis-server nor valkey-server is on the PATH: the tests that need one are skipped')
  say(
    'to run them: apt-get install redis-server, dnf install valkey or brew install redis, or set TEST_REDIS_URL',
  )
  if (process.env.HOPCOUNT_REQUIRE_REDIS === '1') fail('HOPCOUNT_REQUIRE_REDIS=1, and there is no Redis')
}

/** Tests of the dashboard need a browser. Without one they are skipped, unless HOPCOUNT_REQUIRE_BROWSER=1. */
function provideBrowser() {
  if (['chromium', 'chromium-browser', 'google-chrome'].some(isOnPath)) return
  if (canUseApt() && aptInstall(['chromium'])) return
  say('no chromium is on the PATH: the tests of the dashboard in a browser are skipped')
  say('to run them: apt-get install chromium, dnf install chromium or brew install chromium')
  if (process.env.HOPCOUNT_REQUIRE_BROWSER === '1')
    fail('HOPCOUNT_REQUIRE_BROWSER=1, and there is no browser')
}

function isOnPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .some(folder => folder !== '' && existsSync(join(folder, name)))
}

function canUseApt() {
  return process.platform === 'linux' && process.geteuid() === 0 && isOnPath('apt-get')
}

/** True when all packages are there now. RUNLEVEL=1 keeps a package from starting its service (invoke-rc.d(8)). */
function aptInstall(packages) {
  say(`installing ${packages.join(', ')} with apt-get (once)`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const apt = (...args) => spawnSync('apt-get', ['-qq', ...args], { env, stdio: 'ignore' }).status === 0
  // The lists may be stale or partly unreachable: whether the package installs is what counts.
  apt('update')
  return apt('install', '-y', '--no-install-recommends', ...packages)
}

/**
 * Runs the program in this one's place: its signals, its output, its exit code. The program is in a group of its own
 * and gets signals from here alone: of one Ctrl-C, the terminal and npm tell this process each, the program must
 * hear of it once (a second one means haste).
 */
function handOver(program, args) {
  const child = spawn(join(binaries, program.file), [...program.args, ...args], {
    cwd: root,
    env: { ...process.env, PATH: `${binaries}${delimiter}${process.env.PATH ?? ''}` },
    stdio: ['inherit', 'inherit', 'inherit', ...(program.noticesOurEnd ? ['ipc'] : [])],
    detached: true,
  })
  let lastSignalAt = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (Date.now() - lastSignalAt > 500) child.kill(signal)
      lastSignalAt = Date.now()
    })
  }
  child.on('error', error => fail(`${program.file} did not start: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}

function say(text) {
  process.stderr.write(`hopcount: ${text}\n`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
