/**
 * The order of test files. Vitest begins with the files that took longest in its last run, which a fresh clone does not
 * know; then it goes by size, and the fault matrix, by far the longest and one of the smallest, came last and ran alone
 * for minutes.
 */
import type { TestSpecification } from 'vitest/node'
import { BaseSequencer } from 'vitest/node'

/** Files that take more than half a minute, the longest first. */
const longest = ['faults/faults.test.ts', 'faults/checker.test.ts']

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex(name => moduleId.endsWith(`/test/${name}`))
      return index === -1 ? longest.length : index
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
