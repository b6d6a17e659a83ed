/// <reference path="./punycode.d.ts" />
/**
 * International hosts are stored as punycode. One is shown in its own letters only where those can't pass for others;
 * `xn--…` is ugly, but deceives nobody.
 *
 * The rule is stricter than the one that Chromium applies to its address bar
 * (https://chromium.googlesource.com/chromium/src/+/main/docs/idn.md), which also compares with a list of well-known
 * domains that this page doesn't have. Every label of the host must
 *
 * - survive the conversion to Unicode and back (UTS #46), so it has no invisible or unassigned characters;
 * - have the letters of one script only, Chinese, Japanese and Korean being one each (UTS #39, 5.2 "Single Script");
 * - in Latin: have no accents but those of Latin-1, and none on a letter as narrow as i, on which they are overlooked;
 * - in Cyrillic and Greek: have a letter that looks like no Latin one (Chromium's "whole-script confusable").
 *
 * All other scripts are shown as punycode: each has letters that pass for Latin letters or digits, or is written from
 * right to left, which changes the order in which a host's labels are seen.
 */
import { decode } from 'punycode/punycode.es6.js'

/** One of them must match the whole label. ASCII digits and hyphens go with every script. */
const singleScripts = [
  /^[a-z\d\-ßàáâãäåæçèéêëñòóôõöøùúûüýÿ]+$/,
  /^(?=.*[джийлфцщыэя])[\p{scx=Cyrillic}\d-]+$/u,
  /^(?=.*[δζθλξπσςφψ])[\p{scx=Greek}\d-]+$/u,
  // The mark ー, which both kana scripts use, looks like a hyphen when it stands alone.
  /^(?=.*[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}])[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー\d-]+$/u,
  /^[\p{sc=Han}\p{sc=Bopomofo}\d-]+$/u,
  /^[\p{sc=Han}\p{sc=Hangul}\d-]+$/u,
]
/** Letters alone: a mark that belongs to a script, such as an accent of its own, may hide what it is put on. */
const lettersAndDigits = /^[\p{Ll}\p{Lo}ー々\d-]+$/u

/** The URL as people may read it. Anything that isn't http or https stays as it is. */
export function shownTarget(url: string): string {
  const authority = /^(https?:\/\/(?:[^/\\?#]*@)?)([^/\\?#:]+)/i.exec(url)
  if (authority === null || !URL.canParse(url)) return url
  const [whole, before = '', host = ''] = authority
  return before + shownHost(new URL(url).hostname, host) + url.slice(whole.length)
}

/** @param written what stands in the URL: kept, if it is the same host in ASCII */
function shownHost(ascii: string, written: string): string {
  if (!/(^|\.)xn--/.test(ascii)) return /^[!-~]+$/.test(written) ? written : ascii
  try {
    const labels = ascii.split('.').map(label => (label.startsWith('xn--') ? decode(label.slice(4)) : label))
    const host = labels.join('.')
    return labels.every(isUnmistakable) && new URL(`http://${host}/`).hostname === ascii ? host : ascii
  } catch {
    return ascii
  }
}

function isUnmistakable(label: string): boolean {
  // The root's empty label, and all ASCII.
  if (/^[!-~]*$/.test(label)) return true
  return lettersAndDigits.test(label) && singleScripts.some(script => script.test(label))
}
