/** Which visits a filtered report or export is about. */
import type { UserAgent, VisitorClass } from '@hopcount/shared/agents/describe-user-agent.ts'
import { letterCode } from '@hopcount/shared/letter-codes.ts'
import type { Static } from 'typebox'
import { Type } from 'typebox'
import { queryProblem } from '../series/series-range.ts'

/** Undefined: any. */
export interface Filters {
  class: VisitorClass | undefined
  referrer: string | undefined
  browser: string | undefined
  os: string | undefined
  device: string | undefined
  /** Codes of letters; null: not told. */
  country: number | null | undefined
  language: number | null | undefined
}

const filter = (description: string) => Type.Optional(Type.String({ maxLength: 255, description }))

export const filterProperties = {
  class: Type.Optional(Type.Union([Type.Literal('human'), Type.Literal('bot'), Type.Literal('preview')])),
  referrer: filter('a value of the breakdown by referrer; empty: visits without one'),
  country: filter('"DE"; empty: not known'),
  browser: filter('a value of the breakdown by browser'),
  os: filter('a value of the breakdown by operating system'),
  device: filter('a value of the breakdown by device'),
  language: filter('"de"; empty: not told'),
}

const FilterQuerySchema = Type.Object(filterProperties)

/** 400 where a code can't be one. */
export function readFilters(query: Static<typeof FilterQuerySchema>): Filters {
  const { class: visitorClass, referrer, browser, os, device } = query
  return {
    class: visitorClass,
    referrer,
    browser,
    os,
    device,
    country: readCode('country', query.country, 2),
    language: readCode('language', query.language, 3),
  }
}

export function isFiltered(filters: Filters): boolean {
  return Object.values(filters).some(wanted => wanted !== undefined)
}

export function agentPasses(agent: UserAgent, { class: wanted, browser, os, device }: Filters): boolean {
  return (
    (wanted === undefined || agent.class === wanted) &&
    (browser === undefined || agent.browser === browser) &&
    (os === undefined || agent.os === os) &&
    (device === undefined || agent.device === device)
  )
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
