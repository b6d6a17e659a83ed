import type { Log } from '@hopcount/shared/log.ts'
import { createHealthLog } from '@hopcount/shared/log.ts'
import type { ProducerFolder } from './producer-folder.ts'

/**
 * Returns a function that makes the folder again if somebody has deleted it, or its socket: without that, others adopt what
 * is in it. It resolves with whether that was so, and never rejects.
 */
export function createFolderRestorer(
  folder: ProducerFolder,
  options: { onRestored: () => void; log: Log },
): () => Promise<boolean> {
  const { onRestored, log } = options
  const health = createHealthLog(log, 'making the spool folder again')

  return async () => {
    try {
      const restored = await folder.restore()
      if (restored) {
        log.error(
          { folder: folder.path },
          'the spool folder or its socket was deleted while in use; it is made again',
        )
        onRestored()
      }
      health.works()
      return restored
    } catch (error) {
      health.fails(error)
      return false
    }
  }
}
