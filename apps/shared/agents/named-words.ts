/** One of our names, then the words in a lower-cased user agent that stand for it. */
export type NamedWords<Name = string> = readonly [name: Name, ...words: string[]]

/**
 * Finds the first row of the table that has a word in the text. Words are plain text: one that could be the end of
 * another begins with a blank (` line/`, not `online/`), and callers put a blank before the text.
 *
 * All words are one regular expression, an alternation of literals that V8 makes a tree of: a text takes 2 µs with 300
 * words, 70 µs with `includes` for each. Nothing in it repeats, so the time is linear in the text, whatever is sent.
 */
export function wordFinder<Name>(table: readonly NamedWords<Name>[]): (text: string) => Name | undefined {
  const rowOfWord = new Map<string, number>()
  for (const [row, [, ...words]] of table.entries())
    for (const word of words) if (!rowOfWord.has(word)) rowOfWord.set(word, row)
  // A lookahead, so that a word inside another one is found, too. Of words at one place the first row's is taken.
  const pattern = new RegExp(`(?=(${[...rowOfWord.keys()].map(escaped).join('|')}))`, 'g')
  return text => {
    let first = table.length
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      first = Math.min(first, rowOfWord.get(match[1] ?? '') ?? first)
      pattern.lastIndex = match.index + 1
    }
    return table[first]?.[0]
  }
}

function escaped(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

export function namesOf(...tables: (readonly NamedWords[])[]): string[] {
  return [...new Set(tables.flatMap(table => table.map(([name]) => name)))].sort()
}
