/** Reads the environment, once per process. All configuration errors are reported together, before anything is opened. */
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import type { Static } from 'typebox'
import { Type } from 'typebox'
import { Value } from 'typebox/value'

const url = (description: string, schemes: string) =>
  Type.Optional(Type.String({ pattern: `^(${schemes})://`, description }))

/** Every variable that Hopcount reads. The README's table is generated from it. */
export const ConfigurationSchema = Type.Object({
  DATABASE_URL: url(
    'PostgreSQL 15 or newer, `postgres://user:password@host:port/database`. If unset, `npm start` runs an embedded PostgreSQL under `.data/`',
    'postgres|postgresql',
  ),
  REDIS_URL: url(
    'Redis for the queue: append-only file on, `maxmemory-policy noeviction`. If unset, PostgreSQL carries the queue and links are cached in memory only',
    'redis|rediss',
  ),
  CACHE_REDIS_URL: url(
    'Redis for the cache: `allkeys-lfu`, no persistence. If unset, `REDIS_URL` is used, with a TTL on every key',
    'redis|rediss',
  ),
  STATS_DATABASE_URL: url(
    'read replica for statistics. If unset, `DATABASE_URL`, with a separate connection pool',
    'postgres|postgresql',
  ),
  DATA_DIR: Type.String({
    default: '.data',
    minLength: 1,
    description:
      'where `npm start` keeps its data: the embedded PostgreSQL and, unless `SPOOL_DIR` is set, the spool',
  }),
  HOST: Type.String({
    default: '127.0.0.1',
    minLength: 1,
    description: 'address the API listens on; `0.0.0.0` in the image',
  }),
  PORT: Type.Integer({
    default: 8080,
    minimum: 0,
    maximum: 65_535,
    description: 'port the API listens on; 0 picks a free one',
  }),
  PUBLIC_URL: Type.Optional(
    Type.String({
      pattern: '^https?://[^/?#]+$',
      description:
        'origin of every `short_url`, for example `https://hop.example`. If unset, the origin of the request',
    }),
  ),
  OWN_HOSTS: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'comma-separated further hosts under which the service is reached, such as hop.example,www.hop.example:8443; links to them would be loops',
    }),
  ),
  RESERVED_SLUGS: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'comma-separated words that nobody gets as a slug, in addition to the routes and a built-in list (`login`, `admin`, `paypal`, …)',
    }),
  ),
  BRAND_NAME: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'name at the foot of the pages that visitors see where a link leads nowhere',
    }),
  ),
  BRAND_URL: Type.Optional(
    Type.String({
      pattern: '^https?://',
      description: 'where that name leads, such as `https://example.com`',
    }),
  ),
  SPOOL_DIR: Type.String({
    default: '.data/spool',
    minLength: 1,
    description:
      'folder that holds visits until they are counted: on a local disk, one per host. If PostgreSQL carries the queue, the worker needs the same folder, because it contains the key that decrypts queued visits',
  }),
  SPOOL_FSYNC: Type.Union([Type.Literal('off'), Type.Literal('on')], {
    default: 'off',
    description:
      '`off`: visits survive a crash of the process; `on`: also a power failure (one fdatasync for all waiting visits)',
  }),
  VISIT_LOSS: Type.Union([Type.Literal('refuse'), Type.Literal('allow')], {
    default: 'refuse',
    description:
      'when a visit can be written neither to the spool nor to the queue, `refuse` responds with 503, and `allow` redirects and counts the loss in a metric',
  }),
  WEB_CONCURRENCY: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 64,
    description: 'API processes on this host',
  }),
  CACHE_MAX_LINKS: Type.Integer({
    default: 100_000,
    minimum: 100,
    maximum: 10_000_000,
    description: 'maximum number of links that each API process caches in memory',
  }),
  ALLOW_PRIVATE_TARGETS: Type.Boolean({
    default: false,
    description: '`true` allows links to loopback, link-local and private addresses',
  }),
  TRUST_PROXY: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'comma-separated CIDR blocks of the reverse proxies whose `X-Forwarded-*` headers are trusted',
    }),
  ),
  RATE_LIMIT_WRITES: Type.Integer({
    default: 300,
    minimum: 0,
    description:
      'links that one address (IPv6: one /64) may create per minute; 0: no limit. Clients on the same machine are not limited',
  }),
  RATE_LIMIT_STATS: Type.Integer({
    default: 1_200,
    minimum: 0,
    description: 'the same for statistics requests',
  }),
  WORKER_CONCURRENCY: Type.Integer({
    default: 64,
    minimum: 1,
    maximum: 1_000,
    description:
      'batches that one worker handles at a time; batches that wait together are recorded in one transaction',
  }),
  GEO_DATABASE: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'country database in MaxMind’s format. If unset, the bundled one, made from public registry data (CC0)',
    }),
  ),
  RETENTION_DAYS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 36_500,
    description:
      'number of UTC days for which raw visits are kept; removing older ones changes no total, series or listed breakdown value. 0: forever',
  }),
  FOLD_QUARTERS_AFTER_DAYS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 36_500,
    description:
      'number of UTC days for which visits are kept per quarter hour; older ones are merged into hours, so time zones offset by half or quarter hours see those days in whole UTC hours. 0: forever',
  }),
  WORKER_METRICS_PORT: Type.Integer({
    default: 9_091,
    minimum: 0,
    maximum: 65_535,
    description: 'port of the worker’s `/metrics` and `/healthz`, on `HOST`; 0 picks a free one',
  }),
  LOG_LEVEL: Type.Union(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map(level => Type.Literal(level)),
    {
      default: 'info',
      description:
        'least severe level that is logged: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`',
    },
  ),
  LOG_FORMAT: Type.Optional(
    Type.Union([Type.Literal('json'), Type.Literal('pretty')], {
      description: '`json` or `pretty`. Unset, log lines are pretty on a terminal and JSON elsewhere',
    }),
  ),
})

export type Configuration = Static<typeof ConfigurationSchema> & { DATABASE_URL: string }

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

/** An empty variable counts as unset. Throws ConfigurationProblems, which lists every problem. */
export function readConfiguration(environment: NodeJS.ProcessEnv): Configuration {
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
  for (const [name, problem] of contradictions(configuration))
    if (!problems.has(name)) problems.set(name, problem)
  if (problems.size > 0) throw new ConfigurationProblems([...problems.values()])
  return {
    ...configuration,
    DATABASE_URL: configuration.DATABASE_URL ?? '',
    SPOOL_DIR: resolve(configuration.SPOOL_DIR),
  }
}

function* contradictions(configuration: Static<typeof ConfigurationSchema>): Generator<[string, string]> {
  for (const name of [
    'DATABASE_URL',
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
  for (const network of configuration.TRUST_PROXY?.split(',') ?? []) {
    if (!isNetwork(network.trim()))
      yield ['TRUST_PROXY', 'TRUST_PROXY must list addresses or CIDR blocks, such as 10.0.0.0/8,fd00::/8']
  }
  for (const host of listed(configuration.OWN_HOSTS)) {
    if (/[/?#@\\]/.test(host) || !URL.canParse(`http://${host}`))
      yield ['OWN_HOSTS', 'OWN_HOSTS must list hosts, each with or without a port, such as hop.example:8443']
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

/** The entries of a comma-separated setting, without blanks and empty ones. */
export function listed(setting: string | undefined): string[] {
  return (setting ?? '').split(',').flatMap(entry => entry.trim() || [])
}

function isNetwork(text: string): boolean {
  const [address = '', prefixLength, ...rest] = text.split('/')
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  if (rest.length > 0 || longest === -1) return false
  return prefixLength === undefined || (/^\d{1,3}$/.test(prefixLength) && Number(prefixLength) <= longest)
}

/** The password in .env.example and docker-compose.yml, which are for trying Hopcount on one machine. */
const examplePassword = 'hopcount'
const secretUrls = ['DATABASE_URL', 'REDIS_URL', 'CACHE_REDIS_URL', 'STATS_DATABASE_URL'] as const

/** What the variable is for, from its schema. */
function description(name: string): string {
  const schemas: Record<string, object> = ConfigurationSchema.properties
  const schema = schemas[name]
  return schema !== undefined && 'description' in schema ? String(schema.description) : ''
}
