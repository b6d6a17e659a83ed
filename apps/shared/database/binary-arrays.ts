/**
 * Encodes columns of values as arrays in PostgreSQL's binary format: number of dimensions, whether there are nulls, the
 * element type's OID, number of elements, lower bound; then each element's length and bytes (array_recv in
 * PostgreSQL's arrayfuncs.c). node-postgres sends a buffer as a binary parameter; the statement names the type
 * (`$1::bigint[]`).
 *
 * Timestamps need no conversion that way, and nothing is rounded. Measured with 200,000 links, one run each: 22.0 µs of
 * PostgreSQL's CPU time per visit, 23.3 with array literals; the worker's time is the same.
 */
import { dayNumber } from '../days.ts'

const headerBytes = 20
const lengthBytes = 4
/** PostgreSQL counts from 2000. */
const postgresEpochMs = Date.UTC(2000)

/** OIDs of pg_type. */
const types = { bigint: 20, integer: 23, text: 25, date: 1082, timestamptz: 1184 }

/** `bigint[]` */
export function bigintArray(values: number[]): Buffer {
  return arrayOf(types.bigint, values, 8 * values.length, writeBigint)
}

/** `bigint[]`. Two numbers make one element: its upper four bytes, signed, and its lower four. */
export function wordsArray(words: number[]): Buffer {
  const places = Array.from({ length: words.length / 2 }, (_, value) => 2 * value)
  return arrayOf(types.bigint, places, 4 * words.length, (to, place, at) =>
    to.writeInt32BE((words[place + 1] ?? 0) | 0, to.writeInt32BE(words[place] ?? 0, at)),
  )
}

/** `timestamptz[]`, from milliseconds since 1970. */
export function timestampArray(values: number[]): Buffer {
  return arrayOf(types.timestamptz, values, 8 * values.length, writeTimestamp)
}

/** `integer[]` */
export function integerArray(values: (number | null)[]): Buffer {
  return arrayOf(types.integer, values, 4 * values.length, (to, value, at) => to.writeInt32BE(value, at))
}

/** `date[]`, from day numbers (days.ts). */
export function dateArray(days: number[]): Buffer {
  return arrayOf(types.date, days, 4 * days.length, (to, day, at) =>
    to.writeInt32BE(day - dayNumber(postgresEpochMs), at),
  )
}

/** `text[]` */
export function textArray(values: (string | null)[]): Buffer {
  const bytes = values.reduce((sum, value) => sum + Buffer.byteLength(value ?? ''), 0)
  return arrayOf(types.text, values, bytes, (to, value, at) => at + to.write(value, at))
}

/** `write` returns the offset after the value. */
function arrayOf<Value>(
  type: number,
  values: (Value | null)[],
  valueBytes: number,
  write: (to: Buffer, value: Value, at: number) => number,
): Buffer {
  const array = Buffer.allocUnsafe(headerBytes + lengthBytes * values.length + valueBytes)
  const dimensions = values.length === 0 ? 0 : 1
  let end = array.writeInt32BE(dimensions)
  end = array.writeInt32BE(values.includes(null) ? 1 : 0, end)
  end = array.writeInt32BE(type, end)
  if (dimensions === 1) {
    end = array.writeInt32BE(values.length, end)
    end = array.writeInt32BE(1, end)
  }
  for (const value of values) {
    const begin = end + lengthBytes
    end = value === null ? begin : write(array, value, begin)
    array.writeInt32BE(value === null ? -1 : end - begin, begin - lengthBytes)
  }
  return array.subarray(0, end)
}

/** The eight bytes of a bigint. */
export function writeBigint(to: Buffer, value: number, at: number): number {
  const high = Math.floor(value / 2 ** 32)
  return to.writeUInt32BE(value - high * 2 ** 32, to.writeInt32BE(high, at))
}

/** The eight bytes of a timestamptz: microseconds since 2000. */
export function writeTimestamp(to: Buffer, milliseconds: number, at: number): number {
  return writeBigint(to, (milliseconds - postgresEpochMs) * 1_000, at)
}
