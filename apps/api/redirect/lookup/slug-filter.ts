/**
 * A set of slugs that knows which slugs are certainly not in it: a Bloom filter (Bloom, CACM 13/7, 1970) that grows.
 *
 * It consists of layers. When a layer is full, a new one of twice the size takes the following slugs; a slug may be in
 * the set if it may be in any layer. It needs 1.4 to 3 bytes per slug: 1,000,000 slugs take 1.9 MB, with 2 % false
 * positives. From 22 million slugs on, the last layer takes them all: memory stays at 32 MB, and the share of false
 * positives rises.
 */
import { randomInt } from 'node:crypto'

export interface SlugFilter {
  add(slug: string): void
  /** True: certainly not in the set. False: may be in it. */
  lacks(slug: string): boolean
}

interface Layer {
  words: Uint32Array
  /** Reduces a hash to the layer's number of bits, a power of two. */
  mask: number
  /** How many more slugs it takes. */
  room: number
}

const firstLayerBits = 20
const lastLayerBits = 27
/** With 12 bits per slug and four of them set, a full layer has 0.65 % false positives, and most lookups end at the first or second bit. */
const bitsPerSlug = 12
const bitsSet = 4

export function createSlugFilter(): SlugFilter {
  // Random, so that nobody can construct false positives.
  const seeds = [randomInt(2 ** 32), randomInt(2 ** 32)] as const
  let newest = createLayer(firstLayerBits)
  const layers = [newest]
  let first = 0
  let step = 0

  /** Bit i of a slug is `first + i * step` (Kirsch and Mitzenmacher, Less Hashing, Same Performance, 2006). */
  function hash(slug: string): void {
    let a: number = seeds[0]
    let b: number = seeds[1]
    for (let i = 0; i < slug.length; i++) {
      const code = slug.charCodeAt(i)
      a = Math.imul(a ^ code, 0x85ebca6b)
      a ^= a >>> 13
      b = Math.imul(b ^ code, 0xc2b2ae35)
      b ^= b >>> 16
    }
    first = Math.imul(a ^ (a >>> 16), 0x2c1b3c6d)
    first ^= first >>> 15
    step = Math.imul(b ^ (b >>> 15), 0x297a2d39) | 1
  }

  function lacks(slug: string): boolean {
    hash(slug)
    return layers.every(isAbsentFrom)
  }

  function isAbsentFrom({ words, mask }: Layer): boolean {
    let position = first
    for (let i = 0; i < bitsSet; i++, position += step) {
      const bit = position & mask
      if (((words[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return true
    }
    return false
  }

  function add(slug: string): void {
    if (!lacks(slug)) return
    if (newest.room-- === 0) newest = addLayer()
    const { words, mask } = newest
    let position = first
    for (let i = 0; i < bitsSet; i++, position += step) {
      const bit = position & mask
      words[bit >>> 5] = (words[bit >>> 5] ?? 0) | (1 << (bit & 31))
    }
  }

  function addLayer(): Layer {
    const bits = firstLayerBits + layers.length
    if (bits > lastLayerBits) return newest
    const layer = createLayer(bits)
    layers.push(layer)
    return layer
  }

  return { add, lacks }
}

function createLayer(bits: number): Layer {
  return {
    words: new Uint32Array(2 ** (bits - 5)),
    mask: 2 ** bits - 1,
    room: Math.floor(2 ** bits / bitsPerSlug),
  }
}
