/** Reads the environment, once per process. All configuration errors are reported together, before anything is opened. */
import { resolve } from 'node:path'
import type { Static } from 'typebox'
import { Value } from 'typebox/value'
import { parseDomain } from '../domain-names.ts'
import { containsStrangers, isLoopbackHost, parseNetwork } from '../network.ts'
import { ConfigurationSchema } from './configuration-schema.ts'

export type Configuration = Static<typeof ConfigurationSchema> & {
  DATABASE_URL: string
  ACCESS: 'open' | 'keys'
}

/** The longest path of a unix socket (sun_path, unix(7): 108 bytes with the closing NUL; 104 on BSD and macOS). */
const maxSocketPathBytes = process.platform === 'linux' ? 107 : 103
const socketNameBytes = '/00000000-0000-0000-0000-000000000000/alive'.length

export class ConfigurationProblems extends Error {
  readonly problems: string[]
  constructor(problems: string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/**
 * An empty variable counts as unset. Throws ConfigurationProblems, which lists every problem. `servesApi`: this process
 * listens on HOST and PORT, or starts one that does; `servesWorker`: a worker listens on the same host.
 */
export function readConfiguration(
  environment: NodeJS.ProcessEnv,
  { servesApi = false, servesWorker = false }: { servesApi?: boolean; servesWorker?: boolean } = {},
): Configuration {
  const given: Record<string, unknown> = {}
  for (const name of Object.keys(ConfigurationSchema.properties)) {
    const value = environment[name]
    if (value !== undefined && value !== '') given[name] = value
  }
  const candidate = Value.Default(ConfigurationSchema, Value.Convert(ConfigurationSchema, given))
  const problems = new Map<string, string>()
  // One by one, because the errors of a whole object are cut off after the first eight.
  for (const [name, schema] of Object.entries(ConfigurationSchema.properties)) {
    const value = (candidate as Record<string, unknown>)[name]
    if (value === undefined) continue
    // The conversion turns 8080.5 into 8080, and true into 1.
    const altered = typeof value === 'number' && environment[name] && Number(environment[name]) !== value
    const message = altered ? 'must be integer' : Value.Errors(schema, value)[0]?.message
    // The value is not repeated: it may hold a password.
    if (message !== undefined) problems.set(name, `${name} ${message}: ${description(name)}`)
  }
  const configuration = candidate as Static<typeof ConfigurationSchema>
  for (const [name, problem] of [
    ...contradictions(configuration),
    ...(servesApi ? listeningProblems(configuration, servesWorker) : []),
  ])
    if (!problems.has(name)) problems.set(name, problem)
  if (problems.size > 0) throw new ConfigurationProblems([...problems.values()])
  return {
    ...configuration,
    DATABASE_URL: configuration.DATABASE_URL ?? '',
    ACCESS: configuration.ACCESS ?? 'open',
    SPOOL_DIR: resolve(configuration.SPOOL_DIR),
  }
}

function* contradictions(configuration: Static<typeof ConfigurationSchema>): Generator<[string, string]> {
  for (const name of [
    'DATABASE_URL',
    'DIRECT_DATABASE_URL',
    'REDIS_URL',
    'CACHE_REDIS_URL',
    'STATS_DATABASE_URL',
    'PUBLIC_URL',
    'BRAND_URL',
  ] as const) {
    const value = configuration[name]
    if (value !== undefined && !URL.canParse(value)) yield [name, `${name} is not a URL`]
  }
  if (configuration.DATABASE_URL === undefined) {
    yield [
      'DATABASE_URL',
      'DATABASE_URL is not set (only npm start brings its own PostgreSQL; the API and the worker on their own need one)',
    ]
  }
  if (configuration.WEB_CONCURRENCY > 1 && configuration.PORT === 0) {
    yield ['PORT', 'PORT 0 picks a port per process: set a port if WEB_CONCURRENCY is above 1']
  }
  if (configuration.WEB_CONCURRENCY > 1 && configuration.METRICS_PORT === 0) {
    yield [
      'METRICS_PORT',
      'METRICS_PORT 0 picks a port per process: set a port if WEB_CONCURRENCY is above 1',
    ]
  }
  if (configuration.PUBLIC_SHORTEN && configuration.ACCESS === 'open') {
    yield ['PUBLIC_SHORTEN', 'PUBLIC_SHORTEN has no effect unless ACCESS is keys']
  }
  if (configuration.VISIT_DURABILITY !== 'spool' && configuration.REDIS_URL === undefined) {
    yield [
      'VISIT_DURABILITY',
      'VISIT_DURABILITY queue and both need REDIS_URL: a queue in PostgreSQL can only be read with the key in SPOOL_DIR, and is lost with it',
    ]
  }
  for (const name of ['QUEUE_REPLICAS', 'QUEUE_FSYNC'] as const) {
    const isUsed = configuration[name] !== 0 && configuration[name] !== 'off'
    if (isUsed && configuration.VISIT_DURABILITY === 'spool')
      yield [name, `${name} has no effect unless VISIT_DURABILITY is queue or both`]
  }
  for (const text of configuration.TRUST_PROXY?.split(',') ?? []) {
    const network = parseNetwork(text)
    if (network === undefined)
      yield ['TRUST_PROXY', 'TRUST_PROXY must list addresses or CIDR blocks, such as 10.0.0.0/8,fd00::/8']
    else if (containsStrangers(network))
      yield [
        'TRUST_PROXY',
        'TRUST_PROXY has a block so large that strangers are trusted, who could pass for any address: list the networks of the proxies only',
      ]
  }
  for (const host of listed(configuration.OWN_HOSTS)) {
    if (/[/?#@\\]/.test(host) || !URL.canParse(`http://${host}`))
      yield ['OWN_HOSTS', 'OWN_HOSTS must list hosts, each with or without a port, such as hop.example:8443']
  }
  for (const name of ['BLOCKED_DOMAINS', 'ALLOWED_DOMAINS'] as const) {
    for (const domain of listed(configuration[name])) {
      if (parseDomain(domain) === undefined)
        yield [
          name,
          `${name} must list domains or IP addresses, such as example.com,192.0.2.1, without ports`,
        ]
    }
  }
  for (const word of listed(configuration.RESERVED_SLUGS)) {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(word))
      yield [
        'RESERVED_SLUGS',
        'RESERVED_SLUGS must list words of the letters A to Z and a to z, digits, _ and -',
      ]
  }
  for (const name of configuration.PUBLIC_URL?.startsWith('https:') ? secretUrls : []) {
    if (URL.parse(configuration[name] ?? '')?.password !== examplePassword) continue
    yield [
      name,
      `${name} has the password from the documentation: choose another one before you serve the public (PUBLIC_URL)`,
    ]
  }
  if (typeof configuration.SPOOL_DIR === 'string') {
    const socketPathBytes = Buffer.byteLength(resolve(configuration.SPOOL_DIR)) + socketNameBytes
    if (socketPathBytes > maxSocketPathBytes) {
      const longest = maxSocketPathBytes - socketNameBytes
      yield [
        'SPOOL_DIR',
        `SPOOL_DIR is longer than ${longest} bytes as an absolute path (it contains a unix socket)`,
      ]
    }
  }
}

/** A process that others can reach must not be open to them by accident. */
function* listeningProblems(
  { ACCESS, HOST, PORT, METRICS_PORT, WORKER_METRICS_PORT }: Static<typeof ConfigurationSchema>,
  servesWorker: boolean,
): Generator<[string, string]> {
  if (ACCESS === undefined && !isLoopbackHost(HOST)) {
    yield [
      'ACCESS',
      'ACCESS is not set, and HOST can be reached from other machines: set ACCESS=keys, so that everything but following links needs a key (npm run keys -- create NAME), or ACCESS=open if anybody who reaches the port may read and change everything',
    ]
  }
  if (METRICS_PORT === undefined || METRICS_PORT === 0) return
  if (METRICS_PORT === PORT) yield ['METRICS_PORT', 'METRICS_PORT must differ from PORT']
  else if (servesWorker && METRICS_PORT === WORKER_METRICS_PORT)
    yield ['METRICS_PORT', 'METRICS_PORT must differ from WORKER_METRICS_PORT']
}

/** PostgreSQL itself, for what a transaction pooler does not carry. */
export function directDatabaseUrl(
  configuration: Pick<Configuration, 'DATABASE_URL' | 'DIRECT_DATABASE_URL'>,
): string {
  return configuration.DIRECT_DATABASE_URL ?? configuration.DATABASE_URL
}

/** The same with the name of the variable, for messages. */
export function directAddress(configuration: Pick<Configuration, 'DATABASE_URL' | 'DIRECT_DATABASE_URL'>) {
  const name = configuration.DIRECT_DATABASE_URL === undefined ? 'DATABASE_URL' : 'DIRECT_DATABASE_URL'
  return { name, url: directDatabaseUrl(configuration) } as const
}

/** The entries of a comma-separated setting, without blanks and empty ones. */
export function listed(setting: string | undefined): string[] {
  return (setting ?? '').split(',').flatMap(entry => entry.trim() || [])
}

/** The password in .env.example and docker-compose.yml, which are for trying Hopcount on one machine. */
const examplePassword = 'hopcount'
const secretUrls = [
  'DATABASE_URL',
  'DIRECT_DATABASE_URL',
  'REDIS_URL',
  'CACHE_REDIS_URL',
  'STATS_DATABASE_URL',
] as const

/** What the variable is for, from its schema. */
function description(name: string): string {
  const schemas: Record<string, object> = ConfigurationSchema.properties
  const schema = schemas[name]
  return schema !== undefined && 'description' in schema ? String(schema.description) : ''
}
