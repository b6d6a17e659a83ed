/** A raw visit as responses show it. */
import { sentUserAgent } from '@hopcount/shared/agents/client-hints.ts'
import { lettersOf } from '@hopcount/shared/letter-codes.ts'
import { loadTextDescriber } from '../describe-texts.ts'
import { agentVersions } from './agent-versions.ts'
import type { RawVisit } from './visits-queries.ts'

export async function visitDescriber() {
  const texts = await loadTextDescriber()
  return (visit: RawVisit) => {
    const agent = texts.userAgent(visit.userAgent)
    const sent = sentUserAgent(visit.userAgent)
    return {
      ...(visit.slug !== null && { slug: visit.slug }),
      visited_at: visit.visitedAt,
      referrer: visit.referrer,
      user_agent: sent,
      country: lettersOf(visit.country).toUpperCase() || null,
      language: lettersOf(visit.language) || null,
      class: agent.class,
      ...texts.referrer(visit.referrer),
      browser: agent.browser,
      os: agent.os,
      ...agentVersions(sent, agent),
      device: agent.device,
      bot: agent.bot,
    }
  }
}
