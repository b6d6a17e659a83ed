/** The environment, read once by each `main.ts`. All problems are collected and reported before anything opens. */
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
    'PostgreSQL 15 or newer, `postgres://user:password@host:port/database`. Unset, `npm start` runs an embedded PostgreSQL under `.data/`',
    'postgres|postgresql',
  ),
  REDIS_URL: url(
    'the queue’s Redis: append-only file on, `maxmemory-policy noeviction`. Unset, PostgreSQL carries the queue and caches live in the processes alone',
    'redis|rediss',
  ),
  CACHE_REDIS_URL: url(
    'the cache’s Redis: `allkeys-lfu`, nothing persisted. Unset, `REDIS_URL` is used, with a lifetime on every key',
    'redis|rediss',
  ),
  STATS_DATABASE_URL: url(
    'a read replica for the statistics. Unset, `DATABASE_URL`, in a pool of its own',
    'postgres|postgresql',
  ),
  HOST: Type.String({
    default: '127.0.0.1',
    minLength: 1,
    description: 'address the API listens on; in the image `0.0.0.0`',
  }),
  PORT: Type.Integer({
    default: 8080,
    minimum: 0,
    maximum: 65_535,
    description: 'port the API listens on; 0 chooses a free one',
  }),
  PUBLIC_URL: Type.Optional(
    Type.String({
      pattern: '^https?://[^/?#]+$',
      description:
        'what `short_url` begins with, for example `https://hop.example`. Unset, the origin of the request',
    }),
  ),
  SPOOL_DIR: Type.String({
    default: '.data/spool',
    minLength: 1,
    description:
      'where answered visits lie until they are counted: a folder on a local disk, one per host. Where PostgreSQL carries the queue, the worker needs the same one: it holds the key to what lies there',
  }),
  SPOOL_FSYNC: Type.Union([Type.Literal('off'), Type.Literal('on')], {
    default: 'off',
    description:
      '`off`: visits survive the death of the process; `on`: also a power cut (one fdatasync for all visits that wait)',
  }),
  VISIT_LOSS: Type.Union([Type.Literal('refuse'), Type.Literal('allow')], {
    default: 'refuse',
    description:
      'when a visit can be written neither to the spool nor to the queue: `refuse` answers 503, `allow` redirects and counts the loss in a metric',
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
    description: 'links that each API process keeps in memory',
  }),
  ALLOW_PRIVATE_TARGETS: Type.Boolean({
    default: false,
    description: '`true` lets links point to loopback, link-local and private addresses',
  }),
  TRUST_PROXY: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'networks of the proxies in front, as a comma-separated list of CIDR blocks, whose `X-Forwarded-*` headers are believed',
    }),
  ),
  RATE_LIMIT_WRITES: Type.Integer({
    default: 300,
    minimum: 0,
    description:
      'links that one address (IPv6: one /64) may make per minute; 0: no limit. Clients on the same machine have none',
  }),
  RATE_LIMIT_STATS: Type.Integer({
    default: 1_200,
    minimum: 0,
    description: 'the same for requests of statistics',
  }),
  WORKER_CONCURRENCY: Type.Integer({
    default: 64,
    minimum: 1,
    maximum: 1_000,
    description:
      'batches that one worker holds at a time; those that wait together are recorded in one transaction',
  }),
  GEO_DATABASE: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'file in MaxMind’s format from which the worker takes countries. Unset, one made of public registry data (CC0) comes along',
    }),
  ),
  RETENTION_DAYS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 36_500,
    description:
      'raw visits of days (UTC) that lie wholly before the last so many are removed; no total, series or breakdown changes. 0: kept for ever',
  }),
  FOLD_QUARTERS_AFTER_DAYS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 36_500,
    description:
      'visits per quarter hour of days (UTC) that lie wholly before the last so many are folded into hours: time zones with half and quarter hours see those days by whole UTC hours. 0: never',
  }),
  WORKER_METRICS_PORT: Type.Integer({
    default: 9_091,
    minimum: 0,
    maximum: 65_535,
    description: 'port of the worker’s `/metrics` and `/healthz`, on `HOST`; 0 chooses a free one',
  }),
  LOG_LEVEL: Type.Union(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map(level => Type.Literal(level)),
    {
      default: 'info',
      description:
        'least severe log line written: `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`',
    },
  ),
})

export type Configuration = Static<typeof ConfigurationSchema> & { DATABASE_URL: string }

/** The longest path that a unix socket can have (sun_path, unix(7): 108 bytes with the closing NUL; 104 on BSD and macOS). */
const maxSocketPathBytes = process.platform === 'linux' ? 107 : 103
const socketNameBytes = '/00000000-0000-0000-0000-000000000000/alive'.length

export class ConfigurationProblems extends Error {
  readonly problems: string[]
  constructor(problems: string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** Reads the environment. An empty variable counts as unset. Throws ConfigurationProblems with every problem at once. */
export function readConfiguration(environment: NodeJS.ProcessEnv): Configuration {
  const given: Record<string, unknown> = {}
  for (const name of Object.keys(ConfigurationSchema.properties)) {
    const value = environment[name]
    if (value !== undefined && value !== '') given[name] = value
  }
  const candidate = Value.Default(ConfigurationSchema, Value.Convert(ConfigurationSchema, given))
  const problems = new Map<string, string>()
  // One by one: the errors of a whole object are cut off after the first eight.
  for (const [name, schema] of Object.entries(ConfigurationSchema.properties)) {
    const value = (candidate as Record<string, unknown>)[name]
    if (value === undefined) continue
    // The conversion makes 8080 of 8080.5, and 1 of true.
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
  ] as const) {
    const value = configuration[name]
    if (value !== undefined && !URL.canParse(value)) yield [name, `${name} is not a URL`]
  }
  if (configuration.DATABASE_URL === undefined) {
    yield [
      'DATABASE_URL',
      'DATABASE_URL is not set (npm start brings a PostgreSQL of its own; a single part needs to be told)',
    ]
  }
  if (configuration.WEB_CONCURRENCY > 1 && configuration.PORT === 0) {
    yield ['PORT', 'PORT 0 chooses a port per process: with WEB_CONCURRENCY above 1 name a port']
  }
  for (const network of configuration.TRUST_PROXY?.split(',') ?? []) {
    if (!isNetwork(network.trim()))
      yield ['TRUST_PROXY', 'TRUST_PROXY must list addresses or CIDR blocks, such as 10.0.0.0/8,fd00::/8']
  }
  for (const name of configuration.PUBLIC_URL?.startsWith('https:') ? secretUrls : []) {
    if (URL.parse(configuration[name] ?? '')?.password !== examplePassword) continue
    yield [
      name,
      `${name} has the password of the documentation: choose another one before you serve the public (PUBLIC_URL)`,
    ]
  }
  if (typeof configuration.SPOOL_DIR === 'string') {
    const socketPathBytes = Buffer.byteLength(resolve(configuration.SPOOL_DIR)) + socketNameBytes
    if (socketPathBytes > maxSocketPathBytes) {
      const longest = maxSocketPathBytes - socketNameBytes
      yield [
        'SPOOL_DIR',
        `SPOOL_DIR is longer than ${longest} bytes as an absolute path (a unix socket lies in it)`,
      ]
    }
  }
}

function isNetwork(text: string): boolean {
  const [address = '', prefixLength, ...rest] = text.split('/')
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  if (rest.length > 0 || longest === -1) return false
  return prefixLength === undefined || (/^\d{1,3}$/.test(prefixLength) && Number(prefixLength) <= longest)
}

/** The one that .env.example and docker-compose.yml show, for a try-out on one machine. */
const examplePassword = 'hopcount'
const secretUrls = ['DATABASE_URL', 'REDIS_URL', 'CACHE_REDIS_URL', 'STATS_DATABASE_URL'] as const

/** What the variable is for, from its schema. */
function description(name: string): string {
  const schemas: Record<string, object> = ConfigurationSchema.properties
  const schema = schemas[name]
  return schema !== undefined && 'description' in schema ? String(schema.description) : ''
}
