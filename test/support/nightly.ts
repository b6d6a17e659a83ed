import { test } from 'vitest'

/** Whether this is the nightly run (.ci/nightly), which also runs what takes too long for every change. */
export const isNightly = process.env.HOPCOUNT_NIGHTLY === '1'

/** A test of the nightly run only: a skipped one would fail the gate. */
export const nightlyTest: typeof test | (() => void) = isNightly ? test : () => {}
