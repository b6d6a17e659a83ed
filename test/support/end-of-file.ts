import { afterAll } from 'vitest'
import { cleanUp } from './clean-up.ts'
import { joinRun } from './run.ts'

await joinRun()
// Registered before any hook of the file, so it runs after all of them.
afterAll(cleanUp)
