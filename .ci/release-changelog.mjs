/** Run by `npm version`: what the changelog calls unreleased becomes the new version's, of today (UTC). */
import { readFileSync, writeFileSync } from 'node:fs'

const { npm_package_version: version } = process.env
const text = readFileSync('CHANGELOG.md', 'utf8')
const [, before, changes, after] =
  /^(.*\n## \[Unreleased\]\n)(.*?)((?:\n## \[.*)?)$/s.exec(text.trimEnd()) ?? []
if (!version || !changes?.trim()) {
  process.stderr.write('CHANGELOG.md has nothing under "## [Unreleased]" to release\n')
  process.exit(1)
}
const today = new Date().toISOString().slice(0, 10)
writeFileSync('CHANGELOG.md', `${before}\n## [${version}] - ${today}\n${changes}${after}\n`)
