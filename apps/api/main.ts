import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'

// V8 collects the old generation when it has grown by a fifth, and gives freed pages back after a second: see
// apps/decisions/0007-memory-limits.md. Set here, since NODE_OPTIONS refuses it.
setFlagsFromString('--heap-growing-percent=20')
setFlagsFromString('--memory-pool-timeout=1')
// Compiled code is kept for the next start; where the folder can't be written, Node goes without.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)))
await import('./api.ts')
