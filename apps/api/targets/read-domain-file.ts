/**
 * Reads a list of domains as they are published: one per line, or in the format of /etc/hosts, with comments. Reading is
 * spread over many turns of the event loop, since the process redirects meanwhile: a list of 500,000 lines takes some
 * 0.6 s of processor time.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { parseDomain } from '@hopcount/shared/domain-names.ts'
import type { DomainSet } from './domain-set.ts'
import { createDomainSet } from './domain-set.ts'

export interface DomainFile {
  domains: DomainSet
  /** Lines that name no domain, and the number of the first one. */
  unreadableLines: number
  firstUnreadable: number
}

/** No line of such a list is longer; a file of another kind may be one endless line. */
const maxLineBytes = 4_096
const lineFeed = 10
const carriageReturn = 13

/** Rejects if it is not a readable file, or has lines and none of them names a domain. */
export async function readDomainFile(path: string): Promise<DomainFile> {
  if (!(await stat(path)).isFile()) throw new Error(`${path} is not a file`)
  const domains = createDomainSet()
  let lineNumber = 0
  let unreadableLines = 0
  let firstUnreadable = 0
  let rest: Buffer = Buffer.alloc(0)

  function readLine(bytes: Buffer, start: number, end: number): void {
    lineNumber++
    const lineEnd = bytes[end - 1] === carriageReturn ? end - 1 : end
    const nameAt = findPlainName(bytes, start, lineEnd)
    if (nameAt !== undefined) domains.addBytes(bytes, nameAt, lineEnd)
    else if (!addDomains(bytes.toString('utf8', start, lineEnd), domains)) {
      unreadableLines++
      firstUnreadable ||= lineNumber
    }
  }

  for await (const chunk of createReadStream(path)) {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, start)) {
      readLine(bytes, start, end)
      start = end + 1
    }
    rest = bytes.subarray(start, start + maxLineBytes)
  }
  readLine(rest, 0, rest.length)
  if (domains.size === 0 && unreadableLines > 0)
    throw new Error(`${path} names no domain: it must have one per line, or the format of /etc/hosts`)
  return { domains, unreadableLines, firstUnreadable }
}

const dot = 46
const sinkholes = ['0.0.0.0 ', '127.0.0.1 ', '0.0.0.0\t', '127.0.0.1\t'].map(text => Buffer.from(text))

/**
 * Where the name begins in what nearly all lines of a long list are: a name of several labels in lower case, alone or
 * behind one address. Undefined: anything else. A name whose last label begins with a digit may be an address.
 */
function findPlainName(bytes: Buffer, start: number, end: number): number | undefined {
  const sinkhole = sinkholes.find(text => isAt(bytes, start, text))
  const nameAt = start + (sinkhole?.length ?? 0)
  if (end - nameAt > 253) return undefined
  let labelAt = nameAt
  for (let i = nameAt; i < end; i++) {
    const byte = bytes[i] ?? 0
    if (byte === dot) {
      if (i === labelAt || i - labelAt > 63) return undefined
      labelAt = i + 1
    } else if (!isOfName(byte)) return undefined
  }
  const isName = labelAt > nameAt && end > labelAt && end - labelAt <= 63 && isLetter(bytes[labelAt] ?? 0)
  return isName ? nameAt : undefined
}

function isAt(bytes: Buffer, start: number, text: Buffer): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false
  return true
}

function isLetter(byte: number): boolean {
  return byte >= 97 && byte <= 122
}

/** a–z, 0–9, _ and -. */
function isOfName(byte: number): boolean {
  return isLetter(byte) || (byte >= 48 && byte <= 57) || byte === 95 || byte === 45
}

/** False: the line names no domain, and is neither empty nor a comment. */
function addDomains(line: string, domains: DomainSet): boolean {
  // White space includes the byte order mark.
  const [first, ...names] = line
    .replace(/[#!].*$/s, '')
    .split(/\s+/)
    .filter(Boolean)
  if (first === undefined) return true
  if (names.length > 0 && isIP(first.replace(/%.*$/, '')) === 0) return false
  // A line of /etc/hosts also names the machine itself (localhost, broadcasthost, ip6-loopback), by names without a dot.
  const listed = names.length === 0 ? [first] : names.filter(name => name.includes('.') && name !== first)
  let isReadable = true
  for (const name of listed) {
    const domain = parseDomain(name)
    if (domain === undefined) isReadable = false
    else domains.add(domain)
  }
  return isReadable
}
