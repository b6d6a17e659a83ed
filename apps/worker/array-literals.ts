/**
 * PostgreSQL array literals (manual, section 8.15.2) built from columns. node-postgres would quote and escape every
 * element, numbers too.
 */

export function numberArray(values: (number | null)[]): string {
  let literal = '{'
  for (let i = 0; i < values.length; i++) literal += `${i === 0 ? '' : ','}${values[i] ?? 'NULL'}`
  return `${literal}}`
}

export function textArray(values: (string | null)[]): string {
  return `{${values.map(value => (value === null ? 'NULL' : quoted(value))).join(',')}}`
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
