/** `npm run release` in a repository of its own, with this project's scripts. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'

const root = join(import.meta.dirname, '../..')
const heading = '# Changelog\n\n## [Unreleased]\n'
const older = '\n## [0.0.9] - 2026-01-01\n\n- Older.\n'

function repository(changelog: string) {
  const folder = temporaryFolder()
  for (const file of ['package.json', '.ci'])
    cpSync(join(root, file), join(folder, file), { recursive: true })
  writeFileSync(join(folder, 'CHANGELOG.md'), changelog)
  // No signing, no hooks, whatever the machine is set up with.
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@example.com',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@example.com',
  }
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, env, encoding: 'utf8' }).trim()
  git('init', '--quiet')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'Start')
  const release = (kind: string) => spawnSync('npm', ['run', 'release', '--', kind], { cwd: folder, env })
  return { git, release, changelog: () => readFileSync(join(folder, 'CHANGELOG.md'), 'utf8') }
}

test('a release raises the version, dates its changes, commits and tags', () => {
  const { git, release, changelog } = repository(`${heading}\n### Added\n\n- Something.\n${older}`)
  expect(release('minor').status).toBe(0)
  const { version } = JSON.parse(git('show', 'HEAD:package.json')) as { version: string }
  const [major, minor] = (
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  ).version
    .split('.')
    .map(Number)
  expect(version).toBe(`${major}.${Number(minor) + 1}.0`)
  expect(git('tag', '--points-at', 'HEAD')).toBe(`v${version}`)
  expect(git('log', '-1', '--format=%s')).toBe(`Version ${version}`)
  expect(git('status', '--porcelain')).toBe('')
  const released = /\n## \[(.+)\] - \d{4}-\d\d-\d\d\n\n### Added\n\n- Something\.\n\n## \[0\.0\.9\]/.exec(
    changelog(),
  )
  expect(released?.[1]).toBe(version)
  expect(changelog().startsWith(heading)).toBe(true)
})

test('nothing is released where the changelog names no change', () => {
  const { git, release } = repository(`${heading}${older}`)
  expect(release('patch').status).not.toBe(0)
  expect(git('tag')).toBe('')
})
