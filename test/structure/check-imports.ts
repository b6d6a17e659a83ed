/** Fails when the files of `apps/` import each other in a way that import-faults.ts rules out. Part of `npm run check`. */
import { fileURLToPath } from 'node:url'
import { findImportFaults } from './import-faults.ts'

const faults = findImportFaults(fileURLToPath(new URL('../..', import.meta.url)))
for (const fault of faults) process.stderr.write(`${fault}\n`)
process.exitCode = faults.length === 0 ? 0 : 1
