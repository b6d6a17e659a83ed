/** The title of an HTML page, as one line of text. */
import { Parser } from 'htmlparser2'
import type { Page } from './fetch-page.ts'

const maxTitleLength = 200

/** Undefined: it has none. */
export function readTitle(page: Page): string | undefined {
  let title: string | undefined
  let depth = 0
  const parser = new Parser({
    onopentagname(name) {
      // An <svg> may have titles of its own.
      if (name === 'svg') depth++
      if (name !== 'title' || depth > 0) return
      if (title === undefined) title = ''
      else parser.pause()
    },
    ontext(text) {
      if (title !== undefined) title += text
    },
    onclosetag(name) {
      if (name === 'svg') depth--
      if (name === 'title' && depth === 0) parser.pause()
    },
  })
  parser.end(decode(page))
  return clean(title ?? '')
}

/** The charset: a byte order mark's, the header's, or the document's own (https://html.spec.whatwg.org/#determining-the-character-encoding). */
function decode({ bytes, contentType }: Page): string {
  const charset = bomCharset(bytes) ?? charsetIn(contentType) ?? ownCharset(bytes) ?? 'utf-8'
  return decoderOf(charset).decode(bytes)
}

/** What could be read to find it is not UTF-16, whatever it says. */
function ownCharset(bytes: Buffer): string | undefined {
  const charset = charsetIn(bytes.toString('latin1', 0, 1_024).replace(/<!--.*?-->/gs, ''))
  return charset?.toLowerCase().startsWith('utf-16') ? 'utf-8' : charset
}

function bomCharset(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 'utf-8' : undefined
}

function charsetIn(text: string): string | undefined {
  return /charset\s*=\s*["']?\s*([^\s"';>/]+)/i.exec(text)?.[1]
}

function decoderOf(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset)
  } catch {
    return new TextDecoder()
  }
}

/** What is invisible or changes the direction of the text around it would let a title pass for another one. */
function clean(text: string): string | undefined {
  const line = text
    .toWellFormed()
    .replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF\u00AD]/g, '')
    .normalize('NFC')
    .trim()
  const characters = [...line]
  if (characters.length <= maxTitleLength) return line || undefined
  return `${characters
    .slice(0, maxTitleLength - 1)
    .join('')
    .trimEnd()}…`
}
