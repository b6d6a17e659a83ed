/** Where decimals are written with a comma, Excel expects semicolons between cells. The page's language tells most often. */
const separator = new Intl.NumberFormat(navigator.language).format(0.5).includes(',') ? 'semicolon' : 'comma'

/** The parameters of an export. */
export function fileFormat(format: string): { format: string; separator?: string } {
  return { format, ...(format === 'excel' && { separator }) }
}
