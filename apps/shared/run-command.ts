import { ConfigurationProblems } from './configuration/configuration.ts'
import { escapeControls } from './escape-controls.ts'
import { errorText } from './log.ts'
import { outliveReaders } from './outlive-readers.ts'

/** Runs a command to its end. If it fails, it prints one line per problem on standard error and exits with code 1. */
export async function runCommand(name: string, command: () => Promise<void>): Promise<void> {
  outliveReaders()
  try {
    await command()
  } catch (error) {
    exitWithProblems(name, error)
  }
}

export function exitWithProblems(name: string, error: unknown): never {
  const problems = error instanceof ConfigurationProblems ? error.problems : [errorText(error)]
  for (const problem of problems) process.stderr.write(`hopcount ${name}: ${escapeControls(problem)}\n`)
  process.exit(1)
}
