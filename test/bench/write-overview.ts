/** Writes results/README.md: the goals of every part as last measured on each vendor's processors, side by side. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { markdownTable } from './format.ts'

interface Page {
  processor: string
  part: string
  text: string
}

export function writeOverview(folder: string, parts: string[]): void {
  mkdirSync(folder, { recursive: true })
  const processors = readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort()
  const pages = parts.flatMap(part =>
    processors.flatMap(processor => {
      const file = join(folder, processor, `${part}.md`)
      return existsSync(file) ? [{ processor, part, text: readFileSync(file, 'utf8') }] : []
    }),
  )
  const sections = [
    introduction,
    ...processors.map(processor => describeRuns(processor, pages)),
    markdownTable(['part', 'goal', 'target', ...processors.map(nameOf)], goalRows(pages, processors)),
  ]
  writeFileSync(join(folder, 'README.md'), `${sections.join('\n\n')}\n`)
}

const introduction = `# Benchmark results

Written by \`npm run bench\`; \`npm run bench redirect\` measures one part. Each part measures Hopcount and its yardsticks
alternately in one run, on loopback. Ratios are computed per round; the table shows their medians. CPU time is user and system
time of the server's processes divided by requests: on a shared machine it varies far less than throughput. Each part's page
has its tables, ranges and conditions. Ratios depend on the processor, so each vendor has its own figures; a goal that is not
reached is marked **no**.`

/** Machine, versions and core pinning, which most parts share. */
function describeRuns(processor: string, pages: Page[]): string {
  const lines = pages
    .filter(page => page.processor === processor)
    .flatMap(({ text }) => text.split('\n').filter(line => /^- (?:machine|versions|pinning): /.test(line)))
  return [`${nameOf(processor)}:`, '', ...new Set(lines)].join('\n')
}

/** A row per goal, and a cell per processor on which it was measured. */
function goalRows(pages: Page[], processors: string[]): string[][] {
  const rows = new Map<string, string[]>()
  for (const { processor, part, text } of pages) {
    for (const [what = '', target = '', measured = '', reached] of goalsOf(text)) {
      const key = [part, what, target].join('|')
      const row = rows.get(key) ?? [part, what, target, ...processors.map(() => '')]
      const figure = reached === 'yes' ? measured : `${measured} ${reached}`
      row[3 + processors.indexOf(processor)] = `[${figure}](${processor}/${part}.md)`
      rows.set(key, row)
    }
  }
  return [...rows.values()]
}

function goalsOf(page: string): string[][] {
  const table = /<!-- goals -->\n([\s\S]*?)\n<!-- end of goals -->/.exec(page)?.[1] ?? ''
  return table
    .split('\n')
    .slice(2)
    .map(line => line.split('|').slice(1, -1))
    .map(cells => cells.map(text => text.trim()))
}

const names: Record<string, string> = { amd: 'AMD', intel: 'Intel', arm: 'Arm', ampere: 'Ampere' }

function nameOf(processor: string): string {
  return names[processor] ?? processor
}
