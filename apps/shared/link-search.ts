/**
 * What a search looks at, as an SQL expression on a row of `links`. No field contains a line break, so a text that is
 * searched for never matches the end of one field and the beginning of the next.
 */
export function linkSearchText(row: string): string {
  return `${row}.slug || E'\\n' || ${row}.long_url || coalesce(E'\\n' || ${row}.title, '')`
}
