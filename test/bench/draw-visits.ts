import type { Visit } from '../../apps/shared/visit-batch.ts'
import {
  referrerNumbers,
  referrerShare,
  referrers,
  userAgentNumbers,
  userAgents,
} from '../../apps/worker/seed-visitors.ts'

/** Visits of links 1 to `links` by a Zipf law, from the same visitors as those of `pnpm seed`. */
export function drawVisits(count: number, links: number): Visit[] {
  return Array.from({ length: count }, () => ({
    linkId: ((rank(links) * 611_953) % links) + 1,
    userAgent: userAgents[rank(userAgents.length) - 1]?.replaceAll('{n}', String(rank(userAgentNumbers))),
    referrer:
      Math.random() < referrerShare
        ? referrers[rank(referrers.length) - 1]?.replaceAll('{n}', String(rank(referrerNumbers)))
        : undefined,
  }))
}

/** Zipf law of exponent 1, as a rounded log-uniform draw from 1 to `count`. */
function rank(count: number): number {
  return Math.min(Math.max(Math.round(0.5 * (2 * count + 1) ** Math.random()), 1), count)
}
