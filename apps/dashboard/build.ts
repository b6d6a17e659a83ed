/**
 * `npm run build`: makes dist/, the page that the API serves. With --if-changed only when dist/ was not made from these
 * sources. An old dist/ is replaced at once, so that a build that fails, or a second one at the same time, breaks nothing.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const folder = import.meta.dirname
const dist = join(folder, 'dist')
const stampName = '.sources'

const sources = hashSources()
if (!process.argv.includes('--if-changed') || readStamp() !== sources) await buildDashboard()

async function buildDashboard(): Promise<void> {
  const { build } = await import('vite')
  const cache = join(folder, 'node_modules', '.cache')
  const made = join(cache, `dist-${randomUUID()}`)
  mkdirSync(cache, { recursive: true })
  await build({
    root: folder,
    configFile: join(folder, 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: made },
  })
  compressAssets(join(made, 'assets'))
  writeFileSync(join(made, stampName), sources)
  replaceDist(made, join(cache, `old-${randomUUID()}`))
}

/** The API sends these where the browser takes them, so that nothing is compressed while it serves redirects. */
function compressAssets(assets: string): void {
  let scriptBytes = 0
  for (const name of readdirSync(assets)) {
    const file = join(assets, name)
    const bytes = readFileSync(file)
    const gzip = gzipSync(bytes, { level: 9 })
    writeFileSync(`${file}.gz`, gzip)
    writeFileSync(`${file}.br`, brotliCompressSync(bytes))
    if (name.endsWith('.js')) scriptBytes += gzip.length
  }
  console.log(`dashboard: ${(scriptBytes / 1000).toFixed(1)} kB of gzipped JavaScript`)
}

function replaceDist(made: string, old: string): void {
  try {
    renameSync(dist, old)
  } catch {
    // There was none.
  }
  try {
    renameSync(made, dist)
  } catch (error) {
    // Another build has put its own there in this moment.
    if (readStamp() !== sources) throw error
    rmSync(made, { recursive: true })
  }
  rmSync(old, { recursive: true, force: true })
}

function readStamp(): string | undefined {
  try {
    return readFileSync(join(dist, stampName), 'utf8')
  } catch {
    return undefined
  }
}

/** Of everything that the result depends on: the sources, the tools' versions, and how they are called. */
function hashSources(): string {
  const hash = createHash('sha256')
  const names = ['src', 'public'].flatMap(part =>
    readdirSync(join(folder, part), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name)),
  )
  const single = ['index.html', 'vite.config.ts', 'build.ts', 'package.json', 'tsconfig.json']
  for (const file of [...names.sort(), ...single.map(name => join(folder, name))])
    hash.update(file.slice(folder.length)).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}
