import type { Visit } from '../../apps/shared/visits/visit-batch.ts'
import {
  referrerNumbers,
  referrerShare,
  referrers,
  userAgentNumbers,
  userAgents,
} from '../../apps/worker/seed/seed-visitors.ts'

/** Visits of links 1 to `links`, drawn by Zipf's law, by the same visitors as those of `npm run seed`. */
export function drawVisits(count: number, links: number): Visit[] {
  return Array.from({ length: count }, () => ({
    linkId: ((rank(links) * 611_953) % links) + 1,
    userAgent: userAgents[rank(userAgents.length) - 1]?.replaceAll('{n}', String(rank(userAgentNumbers))),
    referrer:
      Math.random() < referrerShare
        ? referrers[rank(referrers.length) - 1]?.replaceAll('{n}', String(rank(referrerNumbers)))
        : undefined,
    language: languages[rank(languages.length) - 1],
    address: address(),
  }))
}

const languages = [
  'en-US',
  'de-DE',
  'en-GB',
  'fr-FR',
  'es-ES',
  'pt-BR',
  'it-IT',
  'nl-NL',
  'pl-PL',
  'ja-JP',
  'zh-CN',
  'tr-TR',
]
/** The first two bytes of addresses, each in a different country. */
const networks = [
  '73.1',
  '91.10',
  '81.2',
  '90.1',
  '83.32',
  '177.32',
  '79.1',
  '77.160',
  '83.4',
  '126.1',
  '36.1',
  '78.160',
]

/** Different for nearly every visitor. */
function address(): string {
  const host = Math.floor(Math.random() * 65_536)
  return `${networks[rank(networks.length) - 1]}.${host >> 8}.${host & 255}`
}

/** Zipf's law with exponent 1, as a rounded log-uniform draw from 1 to `count`. */
export function rank(count: number): number {
  return Math.min(Math.max(Math.round(0.5 * (2 * count + 1) ** Math.random()), 1), count)
}
