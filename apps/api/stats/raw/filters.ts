/** The visits that a filtered report or export counts. */
import type { UserAgent, VisitorClass } from '@hopcount/shared/agents/describe-user-agent.ts'
import { letterCode } from '@hopcount/shared/letter-codes.ts'
import type { Channel, Source } from '@hopcount/shared/sources/channels.ts'
import { queryProblem } from '../series/series-range.ts'
import type { FilterQuery } from './filter-schema.ts'

/** Undefined: any value. */
export interface Filters {
  class: VisitorClass | undefined
  referrer: string | undefined
  channel: Channel | undefined
  browser: string | undefined
  os: string | undefined
  device: string | undefined
  bot: string | undefined
  bot_group: string | undefined
  /** Letter codes; null: unknown. */
  country: number | null | undefined
  language: number | null | undefined
}

/** 400 when a code is invalid. */
export function readFilters(query: FilterQuery): Filters {
  const { class: visitorClass, referrer, channel, browser, os, device, bot, bot_group } = query
  return {
    class: visitorClass,
    referrer,
    channel,
    browser,
    os,
    device,
    bot,
    bot_group,
    country: readCode('country', query.country, 2),
    language: readCode('language', query.language, 3),
  }
}

export function isFiltered(filters: Filters): boolean {
  return Object.values(filters).some(wanted => wanted !== undefined)
}

export function agentPasses(agent: UserAgent, filters: Filters): boolean {
  return (
    (filters.class === undefined || agent.class === filters.class) &&
    (filters.browser === undefined || agent.browser === filters.browser) &&
    (filters.os === undefined || agent.os === filters.os) &&
    (filters.device === undefined || agent.device === filters.device) &&
    (filters.bot === undefined || agent.bot === filters.bot) &&
    (filters.bot_group === undefined || agent.botGroup === filters.bot_group)
  )
}

/** Whether visits from some sources do not pass. */
export function filtersSources({ referrer, channel }: Filters): boolean {
  return referrer !== undefined || channel !== undefined
}

export function sourcePasses({ source, channel }: Source, filters: Filters): boolean {
  return (
    (filters.referrer === undefined || source === filters.referrer) &&
    (filters.channel === undefined || channel === filters.channel)
  )
}

/** Null: unknown. */
export function codePasses(code: number | null, wanted: number | null | undefined): boolean {
  return wanted === undefined || code === wanted
}

function readCode(
  field: 'country' | 'language',
  letters: string | undefined,
  maxLetters: number,
): number | null | undefined {
  if (letters === undefined) return undefined
  if (letters === '') return null
  const code = letters.length <= maxLetters ? letterCode(letters) : undefined
  if (code === undefined)
    throw queryProblem(field, `${field} must be a code of at most ${maxLetters} letters, or empty.`)
  return code
}
