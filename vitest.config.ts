import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'apps/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/end-of-file.ts'],
    pool: 'forks',
    // Every file starts processes of its own: on two cores, a third file at a time only makes deadlines late.
    maxWorkers: 2,
    // Of tests marked as concurrent, those of a file that mostly wait.
    maxConcurrency: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 60_000,
  },
})
