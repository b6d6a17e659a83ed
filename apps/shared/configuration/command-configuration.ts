import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Configuration } from './configuration.ts'
import { readConfiguration } from './configuration.ts'

/**
 * The configuration of a command that works beside a running Hopcount. Unless DATABASE_URL is set, it reaches the database
 * that `npm start` runs, whose address is in `<DATA_DIR>/database-url`.
 */
export function readCommandConfiguration(environment: NodeJS.ProcessEnv): Configuration {
  const { DATABASE_URL: given, DATA_DIR: folder } = environment
  const databaseUrl = given || addressIn(folder || '.data')
  return readConfiguration({ ...environment, ...(databaseUrl && { DATABASE_URL: databaseUrl }) })
}

function addressIn(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, 'database-url'), 'utf8').trim()
  } catch {
    return undefined
  }
}
