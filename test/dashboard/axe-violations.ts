import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

/** What axe finds on the page as it is: each rule with the elements that break it. */
export async function axeViolations(page: Page, rules?: string[]): Promise<string[]> {
  const result = await new AxeBuilder({ page })
    .options({
      resultTypes: ['violations'],
      ...(rules && { runOnly: { type: 'rule' as const, values: rules } }),
    })
    .analyze()
  return result.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(node => `${node.html} ${node.failureSummary}`).join('\n')}`,
  )
}
