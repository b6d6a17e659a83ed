/** What a reader has chosen for this browser. Where it keeps nothing, choices last until the page is left. */
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
    // Storage is turned off or full.
  }
}
