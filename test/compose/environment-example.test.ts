import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ConfigurationSchema } from '../../apps/shared/configuration/configuration-schema.ts'

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

test('.env.example names exactly the settings that docker-compose.yml reads, with its defaults', () => {
  const defaults = new Map<string, string>()
  for (const [, name = '', byDefault = ''] of read('docker-compose.yml').matchAll(
    /\$\{([A-Z_]+):-([^}]*)\}/g,
  )) {
    defaults.set(name, byDefault || String(defaultOf(name) ?? ''))
  }
  const shown = new Map<string, string>()
  for (const [, name = '', value = ''] of read('.env.example').matchAll(/^#?([A-Z_]+)=(.*)$/gm))
    shown.set(name, value)
  expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(defaults))
})

test('every setting of Hopcount can be made in the compose stack, or is the stack’s own affair', () => {
  const settings = Object.keys(ConfigurationSchema.properties)
  const notMadeThere = settings.filter(name => !read('docker-compose.yml').includes(`\${${name}:-`))
  expect(notMadeThere.sort()).toEqual([
    'CACHE_REDIS_URL',
    'DATABASE_URL',
    'DATA_DIR',
    'DIRECT_DATABASE_URL',
    'HOST',
    // Containers have no terminal.
    'LOG_FORMAT',
    'PORT',
    // Containers share processors by `cpu_shares`.
    'RECORDING_NICE',
    'REDIS_URL',
    'SPOOL_DIR',
    // Containers are scaled instead: `--scale api=4`.
    'WEB_CONCURRENCY',
    'WORKER_METRICS_PORT',
  ])
})

function defaultOf(name: string): unknown {
  const schemas: Record<string, object> = ConfigurationSchema.properties
  const schema = schemas[name]
  return schema !== undefined && 'default' in schema ? schema.default : undefined
}
