/**
 * Lists that many clients poll are read once for all that wait. Unlike statistics, a list is never shared with a request
 * that came after its reading began: whoever has created or changed a link sees that in the next list, in every process.
 *
 * A list is read again only when some multiple of the time that the last reading took has passed, so the clients of one
 * list cost PostgreSQL at most a part of a processor, however many they are. When few poll, none of them waits.
 */
import { createHash } from 'node:crypto'
import type { GroupCommit } from '@hopcount/shared/group-commit.ts'
import { createGroupCommit } from '@hopcount/shared/group-commit.ts'
import { LRUCache } from 'lru-cache'

/** What `read` returns. */
export interface ReadList {
  body: string
  /** Those that a client must get when they change, as it must get the body. */
  headers: Record<string, string>
  /** The other ones, which say how fresh the list is. */
  freshness: Record<string, string>
}

export interface SharedList extends ReadList {
  etag: string
}

type Read = () => Promise<ReadList>

/** Of the time from the beginning of a reading to that of the next; 4: a quarter of a processor. */
const restPerCost = 4
const maxLists = 500

/** @returns a function that reads the list of that key: the key must contain everything that the list depends on */
export function createSharedLists(): (key: string, read: Read) => Promise<SharedList> {
  const readers = new LRUCache<string, GroupCommit<Read, SharedList>>({ max: maxLists })
  return (key, read) => {
    const reader = readers.get(key) ?? createReader()
    readers.set(key, reader)
    return reader.add(read)
  }
}

function createReader(): GroupCommit<Read, SharedList> {
  let nextAt = Number.NEGATIVE_INFINITY
  return createGroupCommit<Read, SharedList>({
    gather(start) {
      const waitMs = nextAt - performance.now()
      if (waitMs > 0) setTimeout(start, waitMs)
      else setImmediate(start)
    },
    async commit(group) {
      const [read] = group
      if (read === undefined) return []
      const startedAt = performance.now()
      try {
        const list = await read()
        const shared = { ...list, etag: etagOf(list) }
        return group.map(() => shared)
      } finally {
        nextAt = startedAt + restPerCost * (performance.now() - startedAt)
      }
    },
  })
}

/** Headers such as the count change without the body. */
function etagOf({ body, headers }: ReadList): string {
  return `"${createHash('sha1').update(JSON.stringify(headers)).update(body).digest('base64url')}"`
}
