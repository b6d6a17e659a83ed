/** Every environment variable that Hopcount reads, with its type, default and description. */
import { Type } from 'typebox'

const url = (description: string, schemes: string) =>
  Type.Optional(Type.String({ pattern: `^(${schemes})://`, description }))

/** The README's table is generated from it. */
export const ConfigurationSchema = Type.Object({
  DATABASE_URL: url(
    'PostgreSQL 15 or newer, `postgres://user:password@host:port/database`. If unset, `npm start` runs an embedded PostgreSQL under `.data/`',
    'postgres|postgresql',
  ),
  DIRECT_DATABASE_URL: url(
    'PostgreSQL itself, if `DATABASE_URL` leads to a transaction pooler such as PgBouncer: for migrations, `LISTEN` and a queue in PostgreSQL. If unset, `DATABASE_URL`',
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
  ACCESS: Type.Optional(
    Type.Union([Type.Literal('open'), Type.Literal('keys')], {
      description:
        '`open`: anybody who reaches the port may do everything; `keys`: everything but following links needs a key (`npm run keys`). If unset, `open` where `HOST` is a loopback address; elsewhere the API does not start without it',
    }),
  ),
  PUBLIC_SHORTEN: Type.Boolean({
    default: false,
    description: '`true`: anybody may `POST /shorten`, although `ACCESS` is `keys`',
  }),
  METRICS_PORT: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description:
        'port of the API’s `/metrics`, on `HOST`, open to anybody who reaches it; 0 picks a free one. If unset, `/metrics` is on `PORT`, and with `ACCESS=keys` needs a key with the scope `admin`',
    }),
  ),
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
        'comma-separated further hosts under which the service is reached, such as hop.example,www.hop.example:8443; links to them would be loops. With `ACCESS=open`, requests from the machine itself are served under these names, that of `PUBLIC_URL` and local ones only; links are followed under any name',
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
      'folder that holds visits until they are counted: on a local disk, one per host. If PostgreSQL carries the queue, the worker needs the same folder: it reads the visits there, and the key that decrypts those in the queue',
  }),
  SPOOL_FSYNC: Type.Union([Type.Literal('off'), Type.Literal('on')], {
    default: 'off',
    description:
      '`off`: visits survive a crash of the process; `on`: also a power failure (one fdatasync for all waiting visits)',
  }),
  VISIT_DURABILITY: Type.Union(
    ['spool', 'queue', 'both'].map(place => Type.Literal(place)),
    {
      default: 'spool',
      description:
        'where a visit must be before its redirect is sent. `spool`: on this host’s disk; `queue`: in the queue’s Redis, so that nothing is lost with this host; `both`. The last two need `REDIS_URL`, and respond with 503 while Redis is away',
    },
  ),
  QUEUE_REPLICAS: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 100,
    description:
      'replicas of the queue’s Redis that must have the visit, too (WAIT). Only with `VISIT_DURABILITY` `queue` or `both`',
  }),
  QUEUE_FSYNC: Type.Union([Type.Literal('off'), Type.Literal('on')], {
    default: 'off',
    description:
      '`on`: the visit must also be on the disk of the queue’s Redis, and of that many replicas (WAITAOF, Redis 7.2; or `appendfsync always`, which responds sooner). Only with `VISIT_DURABILITY` `queue` or `both`',
  }),
  SPOOL_KEEP_SECONDS: Type.Integer({
    default: 300,
    minimum: 0,
    maximum: 86_400,
    description:
      'how long visits stay in the spool after they are counted. If the database loses them, because a standby without the primary’s last seconds was promoted or a backup was restored, they are counted again. 0: not at all',
  }),
  SPOOL_KEEP_MB: Type.Integer({
    default: 256,
    minimum: 1,
    maximum: 1_048_576,
    description: 'disk space for that, in MiB per API process; the oldest visits go first',
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
  STALE_LINKS_SECONDS: Type.Integer({
    default: 86_400,
    minimum: 0,
    maximum: 31_536_000,
    description:
      'how long cached links are still followed while an API process can not reach PostgreSQL, and so can not know of changes; 503 afterwards',
  }),
  ALLOW_PRIVATE_TARGETS: Type.Boolean({
    default: false,
    description: '`true` allows links to loopback, link-local and private addresses',
  }),
  BLOCKED_DOMAINS: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'comma-separated domains that new links must not lead to, subdomains included; `npm run link block` adds more without a restart',
    }),
  ),
  BLOCKED_DOMAINS_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'file with more of them, one per line or in the format of `/etc/hosts`; read again within 2 s of a change',
    }),
  ),
  ALLOWED_DOMAINS: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'comma-separated domains; if set, new links must lead to these or their subdomains',
    }),
  ),
  FETCH_TITLES: Type.Boolean({
    default: false,
    description:
      '`true`: links that are created without a title get the one of the page they lead to. The API requests it, but nothing on private networks unless `ALLOW_PRIVATE_TARGETS` is set',
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
      'requests that create or change links and that one key, or without keys one address (IPv6: one /64), may send per minute; one in bulk counts once; 0: no limit. With `ACCESS=open`, clients on the same machine are not limited',
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
  RECORDING_NICE: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 19,
    description:
      'how far recording yields the processor to redirects on the same machine: the nice value of the worker, and of PostgreSQL’s processes for its connections where they can be reached. If unset, 5 in `npm start`',
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
  TEXTS_MAX: Type.Integer({
    default: 1_000_000,
    minimum: 0,
    maximum: 1_000_000_000,
    description:
      'rows of the table `texts`, which keeps each referrer and user agent that comes again once; when it is full, further ones are stored in each of their visits',
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
