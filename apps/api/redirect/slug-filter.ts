/**
 * A set of slugs that says "certainly not in it" or "perhaps in it": a Bloom filter (Bloom, CACM 13/7, 1970) that grows.
 *
 * It is made of layers. When a layer has as many slugs as it is made for, the next one, twice as large, takes those that
 * follow; a slug is perhaps in the set when it is perhaps in one of the layers. 1.4 to 3 bytes a slug: 1,000,000 slugs
 * take 1.9 MB, and 2 % of all other slugs pass for one of them. From 22 million on the last layer takes all: the
 * memory stays at 32 MB, and more and more of them pass.
 */
import { randomInt } from 'node:crypto'

export interface SlugFilter {
  add(slug: string): void
  /** False does not mean that the slug is in it. */
  lacks(slug: string): boolean
}

interface Layer {
  words: Uint32Array
  /** To fold a hash into the layer's number of bits, a power of two. */
  mask: number
  /** How many slugs it takes yet. */
  room: number
}

const firstLayerBits = 20
const lastLayerBits = 27
/** With 12 bits a slug and four of them set, a full layer lets 0.65 % pass, and a lookup most often ends at its first or second bit. */
const bitsPerSlug = 12
const bitsSet = 4

export function createSlugFilter(): SlugFilter {
  // Drawn anew, so that nobody can choose slugs that pass.
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
