import type { Row } from './row.ts'
import { apiKilled } from './rows/01-api-killed.ts'
import { apiStopped } from './rows/02-api-stopped.ts'
import { apiFrozen } from './rows/03-api-frozen.ts'
import { workerKilled } from './rows/04-worker-killed.ts'
import { workerKilledAfterCommit } from './rows/05-worker-killed-after-commit.ts'
import { workerFrozen } from './rows/06-worker-frozen.ts'
import { workerStopped } from './rows/07-worker-stopped.ts'
import { redisKilled } from './rows/08-redis-killed.ts'
import { redisAwayAtStart } from './rows/09-redis-away-at-start.ts'
import { flushAll } from './rows/10-flushall.ts'
import { redisOutOfMemory } from './rows/11-redis-out-of-memory.ts'
import { cacheSlow } from './rows/12-cache-slow.ts'
import { postgresKilled } from './rows/13-postgres-killed.ts'
import { postgresReadOnly } from './rows/14-postgres-read-only.ts'
import { noConnectionLeft } from './rows/15-no-connection-left.ts'
import { postgresDiskFull } from './rows/16-postgres-disk-full.ts'
import { spoolDiskFull } from './rows/17-spool-disk-full.ts'
import { cutInCommitOrAdd } from './rows/18-cut-in-commit-or-add.ts'
import { batchDeliveredTwice } from './rows/19-batch-delivered-twice.ts'
import { poison } from './rows/20-poison.ts'
import { clockOff } from './rows/21-clock-off.ts'
import { spoolDamaged } from './rows/22-spool-damaged.ts'
import { hotLink } from './rows/23-hot-link.ts'
import { rollingRestart } from './rows/24-rolling-restart.ts'
import { otherQueueKeys } from './rows/25-other-queue-keys.ts'
import { redisSilent } from './rows/26-redis-silent.ts'
import { changesUnheard } from './rows/27-changes-unheard.ts'
import { descriptorsOut } from './rows/28-descriptors-out.ts'
import { clockJumps } from './rows/29-clock-jumps.ts'
import { otherIsolation } from './rows/30-isolation.ts'
import { setAsideForGood } from './rows/31-set-aside-for-good.ts'
import { spoolDeleted } from './rows/32-spool-deleted.ts'
import { standbyPromoted } from './rows/33-standby-promoted.ts'
import { garbageBehindARequest } from './rows/34-garbage-behind-a-request.ts'
import { startKilled } from './rows/35-start-killed.ts'
import { replicaLags } from './rows/36-replica-lags.ts'
import { nodeGone } from './rows/37-node-gone.ts'
import { throughPooler } from './rows/38-pooler.ts'

/** The matrix, in its order. */
export const rows: Row[] = [
  apiKilled,
  apiStopped,
  apiFrozen,
  workerKilled,
  workerKilledAfterCommit,
  workerFrozen,
  workerStopped,
  redisKilled,
  redisAwayAtStart,
  flushAll,
  redisOutOfMemory,
  cacheSlow,
  postgresKilled,
  postgresReadOnly,
  noConnectionLeft,
  postgresDiskFull,
  spoolDiskFull,
  cutInCommitOrAdd,
  batchDeliveredTwice,
  poison,
  clockOff,
  spoolDamaged,
  hotLink,
  rollingRestart,
  otherQueueKeys,
  redisSilent,
  changesUnheard,
  descriptorsOut,
  clockJumps,
  otherIsolation,
  setAsideForGood,
  spoolDeleted,
  standbyPromoted,
  garbageBehindARequest,
  startKilled,
  replicaLags,
  nodeGone,
  throughPooler,
]
