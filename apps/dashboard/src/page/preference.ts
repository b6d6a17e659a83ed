/** The user's preferences, kept in this browser. Without storage they last until the page is closed. */
const unkept = new Map<string, string>()

export function readPreference(name: string): string | undefined {
  try {
    return localStorage.getItem(name) ?? unkept.get(name)
  } catch {
    return unkept.get(name)
  }
}

export function keepPreference(name: string, value: string): void {
  unkept.set(name, value)
  try {
    localStorage.setItem(name, value)
  } catch {
    // Storage is disabled or full.
  }
}
