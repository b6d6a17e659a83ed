/** Marks what a search has found in a text, without regard to case. */
export function Marked({ text, found }: { text: string; found: string[] }) {
  const pattern = patternOf(found)
  if (pattern === undefined) return <>{text}</>
  return <>{text.split(pattern).map((part, index) => (index % 2 === 1 ? <mark>{part}</mark> : part))}</>
}

/** Where the first of the texts begins, or -1. */
export function indexOfFound(text: string, found: string[]): number {
  const pattern = patternOf(found)
  return pattern === undefined ? -1 : text.search(pattern)
}

/** Groups the whole match, so that `split` keeps it. */
function patternOf(found: string[]): RegExp | undefined {
  const parts = found.filter(Boolean).map(part => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
  return parts.length === 0 ? undefined : new RegExp(`(${parts.join('|')})`, 'iu')
}

/** A search in the forms in which lists show what it finds: as it was typed, and as targets are stored. */
export function foundTexts(search: string | undefined): string[] {
  const text = search?.trim() ?? ''
  const stored = encodeURI(text.toWellFormed()).replaceAll(/%25(?=[0-9a-f]{2})/gi, '%')
  return [withoutScheme(text), withoutScheme(stored)]
}

/** A target as rows show it. */
export function withoutScheme(url: string): string {
  return url.replace(/^https?:\/\/(www\.)?/i, '').replace(/\/$/, '')
}

export function isShortUrlOf(slug: string, text = ''): boolean {
  return /^(https?:\/\/)?[^/\s]+\/([\w-]+)\+?\/?([?#].*)?$/i.exec(text.trim())?.[2] === slug
}
