/** What the Markdown files name exists: links and headings, files and folders, npm scripts and tests. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Tracked files and new ones that are not ignored. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(file => file !== '' && existsSync(join(root, file)))
const documents = files.filter(file => file.endsWith('.md'))
const paths = new Set(files.flatMap(withFolders))
const fileNames = new Set(files.map(file => basename(file)))

test('every relative link leads to a file, and to a heading where it names one', () => {
  const broken = documents.flatMap(document =>
    linksOf(document)
      .filter(link => !leadsSomewhere(document, link))
      .map(link => `${document}: ${link}`),
  )
  expect(broken).toEqual([])
})

test('every file or folder that is named in code font exists', () => {
  const missing = documents.flatMap(document =>
    namedPaths(document)
      .filter(path => !exists(document, path))
      .map(path => `${document}: ${path}`),
  )
  expect(missing).toEqual([])
})

test('every npm script that is named exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
  const missing = documents.flatMap(document =>
    [...read(document).matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)]
      .map(([, script = '']) => script)
      .filter(script => !(script in scripts))
      .map(script => `${document}: npm run ${script}`),
  )
  expect(missing).toEqual([])
})

test('every file or folder that npm test is told to run exists', () => {
  const missing = documents.flatMap(document =>
    [...read(document).matchAll(/\bnpm test -- ([\w./-]+)/g)]
      .map(([, path = '']) => path)
      .filter(path => !paths.has(path))
      .map(path => `${document}: npm test -- ${path}`),
  )
  expect(missing).toEqual([])
})

test('every test that a command names with -t is in the file that it names', () => {
  const named = documents.flatMap(document =>
    [...read(document).matchAll(/\bnpm test -- ([\w./-]+\.test\.ts) -t (?:'([^']+)'|(\w+))/g)].map(
      ([command, file = '', quoted, word]) => ({ command, file, name: quoted ?? word ?? '' }),
    ),
  )
  expect(named.length).toBeGreaterThan(0)
  const isThere = (file: string, name: string) =>
    [...read(file).matchAll(/\b(?:test|it|describe)\b.*?\('(.*)',/g)].some(([, title = '']) =>
      title.includes(name),
    )
  expect(named.filter(({ file, name }) => !isThere(file, name))).toEqual([])
})

test('decisions are numbered without gaps, as their titles are, and apps/README.md lists each one', () => {
  const decisions = documents.filter(document => document.startsWith('apps/decisions/')).sort()
  const numbers = decisions.map(document => Number(basename(document).slice(0, 4)))
  expect(numbers).toEqual(decisions.map((_, i) => i + 1))
  expect(decisions.map(document => Number(/^# (\d+)\. /.exec(read(document))?.[1]))).toEqual(numbers)
  const listed = linksOf('apps/README.md').map(link => join('apps', link))
  expect(decisions.filter(document => !listed.includes(document))).toEqual([])
})

test('no broken link, path or heading goes unnoticed', () => {
  expect(leadsSomewhere('README.md', 'apps/README.md')).toBe(true)
  expect(leadsSomewhere('README.md', 'apps/README.md#glossary')).toBe(true)
  expect(leadsSomewhere('README.md', 'apps/README.md#no-such-heading')).toBe(false)
  expect(leadsSomewhere('README.md', 'apps/no-such-file.md')).toBe(false)
  expect(exists('README.md', 'apps/api/main.ts')).toBe(true)
  expect(exists('README.md', 'api/main.ts')).toBe(true)
  expect(exists('README.md', 'pi/main.ts')).toBe(false)
  expect(exists('README.md', 'no-such-file.ts')).toBe(false)
})

function read(document: string): string {
  return readFileSync(join(root, document), 'utf8')
}

function linksOf(document: string): string[] {
  return [...withoutCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter(target => !/^[a-z]+:/.test(target))
}

function leadsSomewhere(document: string, link: string): boolean {
  const [path = '', heading] = link.split('#')
  const target = path === '' ? document : normalize(join(dirname(document), decodeURI(path)))
  if (!paths.has(target.replace(/\/$/, ''))) return false
  return heading === undefined || headingsOf(target).includes(heading)
}

/** Anchors as GitHub makes them of headings. */
function headingsOf(document: string): string[] {
  if (statSync(join(root, document)).isDirectory()) return []
  return [...read(document).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

const fileEnding = /\.(?:ts|tsx|mjs|js|sql|md|yml|yaml|json|lua|py|css|html|svg|png|txt|tsv|toml|example)$/

/** Words in code font, fenced or not, that look like a file, or like a folder with a slash at its end. */
function namedPaths(document: string): string[] {
  return codeOf(read(document))
    .flatMap(code => code.split(/[\s"'`=,;:()]+/))
    .filter(word => /^[\w.-]+(?:\/[\w.-]+)*\/?$/.test(word))
    .filter(word => fileEnding.test(word) || (word.endsWith('/') && !word.startsWith('.')))
    .filter(word => !/^(?:\.data|node_modules|dist)\//.test(word) && !madeByUsers.has(word))
}

/** Files that the documents tell the reader to make, and what commands make. */
const madeByUsers = new Set(['docker-compose.override.yml', 'dist/', 'YYYYMMDDHHMMSS_what_it_does.sql'])

/** From the document's folder, from the root, from any folder above the path's own first one, or a file of that name. */
function exists(document: string, path: string): boolean {
  const wanted = path.replace(/\/$/, '')
  if (!wanted.includes('/') && fileNames.has(wanted)) return true
  if (paths.has(normalize(join(dirname(document), wanted)))) return true
  return paths.has(wanted) || [...paths].some(known => known.endsWith(`/${wanted}`))
}

function codeOf(text: string): string[] {
  const fenced = [...text.matchAll(/^```.*\n([\s\S]*?)^```/gm)].map(([, code = '']) => code)
  const inline = [...withoutFences(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
  return [...fenced, ...inline]
}

function withoutFences(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '')
}

function withoutCode(text: string): string {
  return withoutFences(text).replaceAll(/`[^`\n]+`/g, code => (code.includes('](') ? '' : code))
}

function withFolders(file: string): string[] {
  const parts = file.split('/')
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}
