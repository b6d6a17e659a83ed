/**
 * A set of domain names for lists of hundreds of thousands: all names in one buffer, and a hash table of their places.
 * 500,000 names take 21 MB outside the heap, where the garbage collector never looks at them, and adding them leaves no
 * garbage. A Set of strings takes 28 MB in the heap.
 */
export interface DomainSet {
  readonly size: number
  has(domain: string): boolean
  /** @param domain ASCII, at most 255 characters */
  add(domain: string): void
  /** The same for a name that is a part of a buffer. */
  addBytes(source: Uint8Array, start: number, end: number): void
}

const maxNameLength = 255

export function createDomainSet(): DomainSet {
  // Each name with its length before it. The first byte is unused: place 0 means that a slot is free.
  let names = Buffer.alloc(4_096)
  let end = 1
  let slots = new Uint32Array(1_024)
  let size = 0
  // Lists have names that strangers registered, who must not know which of them collide.
  const seed = (Math.random() * 2 ** 32) | 0
  const wanted = Buffer.alloc(maxNameLength)

  /** FNV-1a, whose lower bits depend on the higher ones only after the shift. */
  function hash(bytes: Uint8Array, start: number, length: number): number {
    let value = seed
    for (let i = start; i < start + length; i++) value = Math.imul(value ^ (bytes[i] ?? 0), 0x01000193)
    return (value ^ (value >>> 15)) >>> 0
  }

  /** The slot that has the name, or the free one where it belongs. */
  function slotOf(bytes: Uint8Array, start: number, length: number): number {
    let slot = hash(bytes, start, length) % slots.length
    for (let place = slots[slot]; place; place = slots[slot]) {
      if (isAt(place, bytes, start, length)) break
      slot = (slot + 1) % slots.length
    }
    return slot
  }

  function isAt(place: number, bytes: Uint8Array, start: number, length: number): boolean {
    if (names[place] !== length) return false
    for (let i = 0; i < length; i++) if (names[place + 1 + i] !== bytes[start + i]) return false
    return true
  }

  function addBytes(source: Uint8Array, start: number, sourceEnd: number): void {
    const length = sourceEnd - start
    const slot = slotOf(source, start, length)
    if (slots[slot] !== 0) return
    if (end + 1 + length > names.length) names = Buffer.concat([names], 2 * names.length)
    slots[slot] = end
    names[end] = length
    names.set(source.subarray(start, sourceEnd), end + 1)
    end += 1 + length
    size++
    if (size > slots.length / 2) grow()
  }

  function grow(): void {
    const before = slots
    slots = new Uint32Array(2 * before.length)
    for (const place of before) if (place !== 0) slots[slotOf(names, place + 1, names[place] ?? 0)] = place
  }

  return {
    get size() {
      return size
    },
    has(domain) {
      if (domain.length > maxNameLength) return false
      const length = wanted.write(domain, 'latin1')
      return slots[slotOf(wanted, 0, length)] !== 0
    },
    add(domain) {
      addBytes(wanted, 0, wanted.write(domain, 'latin1'))
    },
    addBytes,
  }
}
