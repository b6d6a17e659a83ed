import { expect, test } from 'vitest'
import { ConfigurationSchema } from '../../apps/shared/configuration/configuration-schema.ts'
import { misspelledSettings } from '../../apps/shared/configuration/misspelled-settings.ts'

const namesIn = (environment: Record<string, string>) =>
  misspelledSettings(environment).map(({ name }) => name)

test.each([
  ['REDIS_ULR', 'REDIS_URL'],
  ['REDISURL', 'REDIS_URL'],
  ['redis_url', 'REDIS_URL'],
  ['REDIS_URI', 'REDIS_URL'],
  ['HOPCOUNT_REDIS_URL', 'REDIS_URL'],
  ['SPOOLDIR', 'SPOOL_DIR'],
  ['SPOOL-DIR', 'SPOOL_DIR'],
  ['DATABSE_URL', 'DATABASE_URL'],
  ['TRUSTED_PROXY', 'TRUST_PROXY'],
  ['WEB_CONCURENCY', 'WEB_CONCURRENCY'],
  ['PROT', 'PORT'],
  ['Port', 'PORT'],
])('%s is taken for %s, without its value', (name, setting) => {
  const [found, ...others] = misspelledSettings({ PATH: '/bin', [name]: 'redis://:secret@127.0.0.1' })
  expect(found?.name).toBe(name)
  expect(found?.warning).toContain(setting)
  expect(found?.warning).not.toContain('secret')
  expect(others).toEqual([])
})

test('a name that is similar to a setting with a value is for something else', () => {
  expect(namesIn({ DATABASE_URL: 'postgres://127.0.0.1/a', DATABASE_URI: 'postgres://127.0.0.1/b' })).toEqual(
    [],
  )
})

test('settings, and what is in environments anyway, are not misspelt', () => {
  const usual =
    'PATH HOME HOSTNAME HOSTTYPE LOGNAME USER SHELL PWD OLDPWD LANG LC_ALL TERM TZ TMPDIR SHLVL MAIL EDITOR PAGER DISPLAY ' +
    'SSH_CLIENT SSH_TTY XDG_DATA_DIRS XDG_DATA_HOME XDG_RUNTIME_DIR NODE_ENV NODE_OPTIONS NODE_VERSION YARN_VERSION CI ' +
    'PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGDATA POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB REDIS_HOST REDIS_PORT ' +
    'REDIS_PASSWORD REDIS_TLS_URL KUBERNETES_SERVICE_HOST KUBERNETES_PORT REDIS_SERVICE_HOST API_PORT DYNO PORTS ' +
    'INVOCATION_ID JOURNAL_STREAM MALLOC_ARENA_MAX NO_COLOR FORCE_COLOR HTTP_PROXY NO_PROXY INIT_CWD HOPCOUNT_BOOTSTRAP ' +
    'HOPCOUNT_REQUIRE_REDIS COLORTERM LS_COLORS DEBIAN_FRONTEND npm_config_cache npm_lifecycle_event'
  const names = [...usual.split(' '), ...Object.keys(ConfigurationSchema.properties)]
  expect(namesIn(Object.fromEntries(names.map(name => [name, ''])))).toEqual([])
})
