/** Keys of breakdowns for the letter codes of raw visits; 0 is what is not known. */
import { lettersOf } from '@hopcount/shared/letter-codes.ts'

/** `cDE`; `c` alone where it is not known. */
export const countryKey = rememberedPerCode(code => `c${lettersOf(code).toUpperCase()}`)

/** `lde`; `l` alone where it is not known. */
export const languageKey = rememberedPerCode(code => `l${lettersOf(code)}`)

/** A string that is made anew would be hashed anew by every map that it is looked up in; codes are two bytes: few enough to keep. */
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
