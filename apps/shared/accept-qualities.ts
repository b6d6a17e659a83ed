/** Reads Accept and Accept-Language (RFC 9110, section 12.5). */

/** As RFC 9110, section 12.4.2; also `.9`, as Java and old browsers write it. */
const weight = /^(?:0?\.\d+|0\.?|1(?:\.0*)?)$/

/** Each range in lower case with its quality, as they are listed; 0 if that is malformed. */
export function readQualities(header: string): Map<string, number> {
  const qualities = new Map<string, number>()
  for (const entry of header.toLowerCase().split(',')) {
    const [range = '', ...parameters] = entry.split(';').map(part => part.trim())
    const quality = parameters.find(parameter => parameter.startsWith('q='))?.slice(2) ?? '1'
    if (range !== '') qualities.set(range, weight.test(quality) ? Number(quality) : 0)
  }
  return qualities
}
