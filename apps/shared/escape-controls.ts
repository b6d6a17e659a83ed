/** Everything that a terminal may take for a command: C0 except tab and line feed, DEL, and C1 (ECMA-48). */
const controls = /(?![\t\n])\p{Cc}/gu

/** Text from outside as it may be written to a terminal: control characters become visible `\u001b` escapes. */
export function escapeControls(text: string): string {
  return text.replace(controls, control => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
