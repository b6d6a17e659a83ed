/**
 * Which imports the folders of `apps/` may have:
 *
 *   - no circle of files, type imports included;
 *   - no circle of siblings in any folder, where all files below a subfolder count as that subfolder: each folder can
 *     then be read from the bottom up;
 *   - an app imports itself and `shared`, and no other app; but the page has the API's types (`import type`, which leaves
 *     nothing in its bundle).
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

interface Import {
  from: string
  to: string
  /** `import type`. */
  isType?: boolean
}

/** Each node with the nodes that it imports. */
type Graph = Map<string, Set<string>>

const shared = 'apps/shared'

/** One line per fault. Empty: everything below `root`/apps is in order. */
export function findImportFaults(root: string): string[] {
  const imports = readImports(root)
  return [...findForbidden(imports), ...findFileCircle(imports), ...findSiblingCircles(imports)]
}

/** The imports between files below `apps/`, as paths from the root. */
function readImports(root: string): Import[] {
  const paths = globSync('apps/**/*.{ts,tsx,mts,js,jsx,mjs}', {
    cwd: root,
    exclude: path => path.split('/').includes('node_modules'),
  })
  const files = new Set(paths)
  return [...files].sort().flatMap(from =>
    specifiersIn(readFileSync(join(root, from), 'utf8'))
      .map(({ specifier, isType }) => ({ from, to: resolveSpecifier(from, specifier), isType }))
      .filter(({ to }) => files.has(to) && to !== from),
  )
}

/** Of static imports and exports, of values and types, and of `import()`, which is also how a type can be imported. */
function specifiersIn(source: string): { specifier: string; isType: boolean }[] {
  const specifier =
    /(\bimport type\b[^'";]*)?\b(?:from|import)\s*(?:\(\s*)?(['"])((?:\.\.?\/|@hopcount\/)[^'"\n]+)\2/g
  return [...source.matchAll(specifier)].map(([, type, , specifier = '']) => ({
    specifier,
    isType: type !== undefined,
  }))
}

function resolveSpecifier(from: string, specifier: string): string {
  return specifier.startsWith('@hopcount/')
    ? specifier.replace('@hopcount/', 'apps/')
    : normalize(join(dirname(from), specifier))
}

function findForbidden(imports: Import[]): string[] {
  return imports
    .filter(({ from, to }) => appOf(from) !== appOf(to) && appOf(to) !== shared)
    .filter(
      ({ from, to, isType }) => !(isType && appOf(from) === 'apps/dashboard' && appOf(to) === 'apps/api'),
    )
    .map(({ from, to }) => `${from} imports ${to}: an app may import itself and ${shared}, nothing else`)
}

/** `apps/api` of `apps/api/links/x.ts`. */
function appOf(path: string): string {
  return path.split('/').slice(0, 2).join('/')
}

function findFileCircle(imports: Import[]): string[] {
  const circle = shortestCircle(graphOf(imports))
  return circle === undefined ? [] : [`these files import each other: ${circle.join(' → ')}`]
}

/** At most one circle per folder. Circles of files alone are left to `findFileCircle`. */
function findSiblingCircles(imports: Import[]): string[] {
  const faults: string[] = []
  for (const folder of foldersOf(imports)) {
    const between = imports.flatMap(({ from, to }) => {
      const [importer, imported] = [childOf(folder, from), childOf(folder, to)]
      return importer === undefined || imported === undefined || importer === imported
        ? []
        : [{ from: importer, to: imported, example: `${from} imports ${to}` }]
    })
    const circle = shortestCircle(graphOf(between))
    if (circle === undefined || circle.every(isFile)) continue
    const examples = circle
      .slice(1)
      .map((to, i) => between.find(edge => edge.from === circle[i] && edge.to === to)?.example)
    faults.push(`in ${folder}: ${circle.join(' → ')} (${examples.join('; ')})`)
  }
  return faults
}

function foldersOf(imports: Import[]): string[] {
  const folders = new Set<string>()
  for (const path of imports.flatMap(({ from, to }) => [from, to]))
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder)
  return [...folders].sort()
}

/** What lies directly in `folder` and is or holds the file at `path`. Undefined: nothing. */
function childOf(folder: string, path: string): string | undefined {
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1).split('/')[0] : undefined
}

function isFile(name: string): boolean {
  return name.includes('.')
}

function graphOf(imports: Import[]): Graph {
  const graph: Graph = new Map()
  for (const { from, to } of imports) graph.set(from, (graph.get(from) ?? new Set()).add(to))
  return graph
}

/** The nodes of a shortest circle, the first one again at its end. */
function shortestCircle(graph: Graph): string[] | undefined {
  const circles = [...graph.keys()]
    .map(start => shortestWayBack(graph, start))
    .filter(way => way !== undefined)
  return circles.sort((a, b) => a.length - b.length)[0]
}

/** Breadth first. */
function shortestWayBack(graph: Graph, start: string): string[] | undefined {
  const seen = new Set<string>()
  let ways = [[start]]
  while (ways.length > 0) {
    const longer: string[][] = []
    for (const way of ways) {
      for (const next of graph.get(way.at(-1) ?? '') ?? []) {
        if (next === start) return [...way, start]
        if (seen.has(next)) continue
        seen.add(next)
        longer.push([...way, next])
      }
    }
    ways = longer
  }
  return undefined
}
