/**
 * A QR code as a PNG for print (PNG, third edition): one bit per pixel, and its resolution in a pHYs chunk, so that layout
 * programs place it at its true size. A canvas could not write that chunk, and browsers that resist fingerprinting change
 * the pixels of a canvas.
 */
import type { Code, Colors } from './draw-code.ts'

export const mmPerInch = 25.4

/** Every module has the same whole number of pixels, so the printed side is only close to the wanted one. */
export function pixelsPerSide(size: number, sideMm: number, dpi: number): number {
  return size * Math.max(1, Math.round(((sideMm / mmPerInch) * dpi) / size))
}

export async function writePng(code: Code, colors: Colors, pixels: number, dpi: number): Promise<Blob> {
  const perMeter = Math.round((dpi * 1000) / mmPerInch)
  const chunks = [
    // Bit depth 1, with a palette.
    chunk('IHDR', [...bytesOf(pixels), ...bytesOf(pixels), 1, 3, 0, 0, 0]),
    chunk('PLTE', [...rgb(colors.light), ...rgb(colors.dark)]),
    chunk('pHYs', [...bytesOf(perMeter), ...bytesOf(perMeter), 1]),
    chunk('IDAT', await deflate(rows(code, pixels))),
    chunk('IEND', []),
  ]
  return new Blob([new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]), ...chunks], { type: 'image/png' })
}

/** Each row begins with its filter, which is none. */
function rows({ size, isDark }: Code, pixels: number) {
  const perModule = pixels / size
  const rowBytes = 1 + Math.ceil(pixels / 8)
  const bytes = new Uint8Array(rowBytes * pixels)
  for (let y = 0; y < size; y++) {
    const row = new Uint8Array(rowBytes)
    for (let x = 0; x < pixels; x++)
      if (isDark(Math.floor(x / perModule), y))
        row[1 + (x >> 3)] = (row[1 + (x >> 3)] ?? 0) | (128 >> (x & 7))
    for (let i = 0; i < perModule; i++) bytes.set(row, (y * perModule + i) * rowBytes)
  }
  return bytes
}

async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

function chunk(type: string, data: ArrayLike<number>) {
  const bytes = new Uint8Array(data.length + 12)
  bytes.set(bytesOf(data.length))
  bytes.set(
    [...type].map(letter => letter.charCodeAt(0)),
    4,
  )
  bytes.set(data, 8)
  bytes.set(bytesOf(checksum(bytes.subarray(4, -4))), data.length + 8)
  return bytes
}

/** CRC-32, as the PNG specification computes it (annex D). */
function checksum(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc
}

const bytesOf = (value: number) => [value >>> 24, value >>> 16, value >>> 8, value].map(byte => byte & 255)

const rgb = (color: string) => [1, 3, 5].map(at => Number.parseInt(color.slice(at, at + 2), 16))
