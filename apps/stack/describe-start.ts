/** What `npm start` and `npm run dev` write when everything runs: what runs where, and what to do next. */
import { join } from 'node:path'
import type { StackOptions } from './stack.ts'

export function describeStart(options: {
  configuration: StackOptions['configuration']
  folder: string
  address: string
  watch: boolean
  inspect: boolean
}): string {
  const { configuration, folder, address, watch, inspect } = options
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, SPOOL_DIR: spoolDir } = configuration
  const embedded = `embedded PostgreSQL in ${join(folder, 'postgres')}`
  const rows: [string, string][] = [
    ['dashboard', `${address}/`],
    ['API', `${address}/docs`],
    ['database', databaseUrl === undefined ? embedded : withoutCredentials(databaseUrl)],
    ['queue', redisUrl === undefined ? 'PostgreSQL (REDIS_URL is not set)' : withoutCredentials(redisUrl)],
    ['spool', spoolDir],
  ]
  if (watch) rows.push(['watching', 'apps/api, apps/worker, apps/shared, apps/dashboard'])
  if (inspect) rows.push(['inspector', 'API 127.0.0.1:9229, worker 127.0.0.1:9230'])
  return [
    '',
    `Hopcount is ready at ${address}`,
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(11)}${value}`),
    '',
    ...(configuration.ACCESS === 'keys'
      ? [
          'Sign in to the dashboard with a key. The first one is made with:',
          '',
          '  npm run keys -- create NAME',
        ]
      : [
          'Create a link on the dashboard, or with:',
          '',
          `  curl -s ${address}/shorten -H 'content-type: application/json' -d '{"long_url": "https://example.com/"}'`,
        ]),
    '',
    'Press Ctrl-C to stop.',
    '',
    '',
  ].join('\n')
}

function withoutCredentials(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
