/**
 * Group commit: items that arrive during a commit wait, and are committed together in the next one.
 *
 * Groups grow with the load by themselves; an idle system adds no delay beyond `gather`. There is one commit at a time
 * unless `concurrentCommits` says otherwise. A commit that throws rejects every item of its group and no other.
 *
 * With `spacing`, items that arrive shortly after the start of a commit wait for others even if a commit could start. One that
 * arrives later than that is committed at once.
 */
export interface GroupCommit<Item, Result> {
  /** Resolves with the item's own result when the commit of its group has succeeded. */
  add(item: Item): Promise<Result>
  /** The same with callbacks, for a hot path: no promise per item, and the callbacks of a group run one after the other. */
  put(item: Item, onCommitted: (result: Result) => void, onFailed: (reason: unknown) => void): void
  /** Resolves when no item waits and no commit is under way. */
  idle(): Promise<void>
}

export interface GroupCommitOptions<Item, Result> {
  /** Commits the items together. Returns one result per item, in the same order. */
  commit: (items: Item[]) => Promise<Result[]> | Result[]
  /** Limits the total weight of a group. A single item that is heavier forms a group of its own. */
  maxWeight?: number
  /** The weight of an item; 1 by default. */
  weigh?: (item: Item) => number
  concurrentCommits?: number
  /** The least time from the start of a commit to that of the next, unless there is `enough` for one. */
  spacing?: { ms: number; enough: (items: number, weight: number) => boolean }
  /**
   * Schedules the commit when the first item of a group arrives; by default at the end of this event-loop turn. `waiting`
   * says how many items wait.
   */
  gather?: (start: () => void, waiting: () => number) => void
}

interface Waiting<Item, Result> {
  item: Item
  resolve: (result: Result) => void
  reject: (reason: unknown) => void
}

export function createGroupCommit<Item, Result>(
  options: GroupCommitOptions<Item, Result>,
): GroupCommit<Item, Result> {
  const {
    commit,
    weigh = () => 1,
    maxWeight = Number.POSITIVE_INFINITY,
    concurrentCommits = 1,
    spacing,
    gather = atEndOfTurn,
  } = options
  let waiting: Waiting<Item, Result>[] = []
  let waitingWeight = 0
  let nextStartAt = 0
  let spacingTimer: NodeJS.Timeout | undefined
  let gathering = false
  let underWay = 0
  let idleListeners: (() => void)[] = []

  function add(item: Item): Promise<Result> {
    return new Promise<Result>((resolve, reject) => put(item, resolve, reject))
  }

  function put(item: Item, resolve: (result: Result) => void, reject: (reason: unknown) => void): void {
    waiting.push({ item, resolve, reject })
    waitingWeight += weigh(item)
    gatherNext()
  }

  function gatherNext(): void {
    if (gathering || waiting.length === 0 || underWay >= concurrentCommits || isTooSoon()) return
    gathering = true
    gather(startCommit, () => waiting.length)
  }

  /** Comes back when it no longer is. */
  function isTooSoon(): boolean {
    if (spacing === undefined) return false
    const tooSoonMs = nextStartAt - performance.now()
    const tooSoon = tooSoonMs > 0 && !spacing.enough(waiting.length, waitingWeight)
    if (tooSoon) spacingTimer ??= setTimeout(comeBack, tooSoonMs)
    return tooSoon
  }

  function comeBack(): void {
    spacingTimer = undefined
    gatherNext()
  }

  function startCommit(): void {
    gathering = false
    clearTimeout(spacingTimer)
    spacingTimer = undefined
    if (spacing !== undefined) nextStartAt = performance.now() + spacing.ms
    const group = takeGroup()
    underWay++
    let results: Promise<Result[]> | Result[]
    try {
      results = commit(group.map(waiter => waiter.item))
    } catch (error) {
      finish(group, undefined, error)
      return
    }
    if (results instanceof Promise) {
      results.then(
        settled => finish(group, settled, undefined),
        error => finish(group, undefined, error),
      )
    } else finish(group, results, undefined)
    gatherNext()
  }

  function takeGroup(): Waiting<Item, Result>[] {
    let weight = 0
    let count = 0
    for (const { item } of waiting) {
      const own = weigh(item)
      if (count > 0 && weight + own > maxWeight) break
      weight += own
      count++
    }
    waitingWeight -= weight
    const group = count === waiting.length ? waiting : waiting.slice(0, count)
    waiting = count === waiting.length ? [] : waiting.slice(count)
    return group
  }

  function finish(group: Waiting<Item, Result>[], results: Result[] | undefined, error: unknown): void {
    underWay--
    for (const [index, waiter] of group.entries()) {
      try {
        if (results === undefined) waiter.reject(error)
        else waiter.resolve(results[index] as Result)
      } catch (thrown) {
        // As if a promise's listener had thrown: it is an unhandled rejection, and the others are told nevertheless.
        void Promise.reject(thrown)
      }
    }
    gatherNext()
    if (underWay === 0 && waiting.length === 0) {
      for (const listener of idleListeners) listener()
      idleListeners = []
    }
  }

  function idle(): Promise<void> {
    if (underWay === 0 && waiting.length === 0) return Promise.resolve()
    return new Promise(resolve => idleListeners.push(resolve))
  }

  return { add, put, idle }
}

function atEndOfTurn(start: () => void): void {
  setImmediate(start)
}

/** Bounds how long a flood of items can put off its first ones. */
const maxTurns = 10

/**
 * For `gather`: starts once a turn of the event loop has added nothing to the group. Requests that follow the responses of
 * the group before arrive over several turns; without that, the first few of them would be committed alone.
 */
export function untilNoneArrives(start: () => void, waiting: () => number): void {
  let before = waiting()
  let turns = 0
  setImmediate(function look() {
    const now = waiting()
    turns++
    if (now === before || turns === maxTurns) return start()
    before = now
    setImmediate(look)
  })
}
