export interface SeedOptions {
  links: number
  visits: number
  /** Visits are within the last `days` times 24 hours. */
  days: number
  /** Slugs are the prefix and the link's number in at least seven digits: s0000001, s0000002, … */
  slugPrefix: string
}

/** Throws a one-line error if the arguments are invalid. */
export function readSeedOptions(values: {
  links?: string | undefined
  visits?: string | undefined
  days: string
  prefix: string
}): SeedOptions {
  const options = {
    links: wholeNumber('links', values.links, 1, 100_000_000),
    visits: wholeNumber('visits', values.visits, 0, 10_000_000_000),
    days: wholeNumber('days', values.days, 1, 3_650),
    slugPrefix: values.prefix,
  }
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(options.slugPrefix))
    throw new Error('--prefix must be 1 to 32 of the characters A–Z a–z 0–9 _ -')
  return options
}

function wholeNumber(name: string, text: string | undefined, min: number, max: number): number {
  const value = Number(text)
  if (text === undefined || !Number.isInteger(value) || value < min || value > max)
    throw new Error(`--${name} must be a whole number from ${min} to ${max}`)
  return value
}
