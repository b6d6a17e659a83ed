/** A run of waits.ts alone, with everything that every run has. */
import { mergeConfig } from 'vitest/config'
import config from '../../../vitest.config.ts'

const interrupted = mergeConfig(config, {})
interrupted.test.include = ['test/stack/interrupted-run/waits.ts']
export default interrupted
