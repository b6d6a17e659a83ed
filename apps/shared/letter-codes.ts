/** Countries (ISO 3166-1 alpha-2) and languages (ISO 639) as the small numbers of `visits`: base 27, a = 1. */

/** Up to three letters as a number; undefined for anything else. */
export function letterCode(letters: string): number | undefined {
  if (!/^[a-z]{1,3}$/i.test(letters)) return undefined
  let code = 0
  for (const letter of letters.toLowerCase()) code = code * 27 + (letter.charCodeAt(0) - 96)
  return code
}

/** The letters of a code, in lower case. Empty for null. */
export function lettersOf(code: number | null): string {
  let letters = ''
  for (let rest = code ?? 0; rest > 0; rest = Math.floor(rest / 27))
    letters = String.fromCharCode(96 + (rest % 27)) + letters
  return letters
}
