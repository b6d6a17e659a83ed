/** The keys that letter codes of raw visits have in breakdowns. Code 0: unknown. */
import { lettersOf } from '@hopcount/shared/letter-codes.ts'

/** `cDE`, or `c` if the country is unknown. */
export const countryKey = rememberedPerCode(code => `c${lettersOf(code).toUpperCase()}`)

/** `lde`, or `l` if the language is unknown. */
export const languageKey = rememberedPerCode(code => `l${lettersOf(code)}`)

/** Every map would hash a newly made string again. Codes have two bytes, so all strings can be kept. */
function rememberedPerCode(make: (code: number) => string): (code: number) => string {
  const keys = new Map<number, string>()
  return code => {
    let key = keys.get(code)
    if (key === undefined) {
      key = make(code)
      keys.set(code, key)
    }
    return key
  }
}
