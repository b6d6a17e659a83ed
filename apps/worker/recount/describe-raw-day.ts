/** Describes the visits in raw_day as a worker does: classes of user agents, sources, and breakdowns per link. */
import { allLinks } from '@hopcount/shared/all-links.ts'
import type { Breakdowns } from '@hopcount/shared/breakdowns.ts'
import { addBreakdowns, addCount, storedText } from '@hopcount/shared/breakdowns.ts'
import { bigintArray, integerArray, textArray } from '@hopcount/shared/database/binary-arrays.ts'
import type { PoolClient } from 'pg'
import { countryKey, languageKey } from '../recording/describe/code-keys.ts'
import { agentKeys, referrerKeys } from '../recording/describe/describe-visits.ts'
import type { AgentKeys, ReferrerKeys } from '../recording/visit-columns.ts'
import { fetchAll } from './fetch-all.ts'

const linksPerInsert = 10_000

/** Fills day_agents, day_sources and day_breakdowns. */
export async function describeRawDay(client: PoolClient): Promise<void> {
  const profiles = await describeAgents(client)
  const sources = await describeSources(client)
  await client.query('ANALYZE day_agents, day_sources')
  await breakDown(client, profiles, sources)
}

/** Returns the distinct descriptions of user agents, by their numbers in day_agents. 0: visits without a user agent. */
async function describeAgents(client: PoolClient): Promise<AgentKeys[]> {
  const profiles: AgentKeys[] = []
  const numbers = new Map<string, number>()
  const describe = (userAgent: string | null) => {
    const keys = agentKeys(userAgent ?? '')
    const name = Object.values(keys).join('\n')
    const number = numbers.get(name) ?? profiles.push(keys) - 1
    numbers.set(name, number)
    return { number, visitorClass: keys.class }
  }
  describe(null)
  await client.query(
    `DECLARE agents NO SCROLL CURSOR FOR
     SELECT agent.user_agent_id AS id, agent.user_agent AS inline_text, texts.text AS numbered_text
     FROM (SELECT DISTINCT user_agent_id, user_agent FROM raw_day
           WHERE user_agent_id IS NOT NULL OR user_agent IS NOT NULL) AS agent
     LEFT JOIN texts ON texts.id = user_agent_id`,
  )
  for await (const rows of fetchAll<DistinctText>(client, 'agents')) {
    const described = rows.map(row => describe(row.inline_text ?? row.numbered_text))
    await client.query(
      `INSERT INTO day_agents
       SELECT id, text, profile, class = 'bot', class = 'preview'
       FROM unnest($1::integer[], $2::text[], $3::integer[], $4::text[]) AS agent (id, text, profile, class)`,
      [
        integerArray(rows.map(row => row.id)),
        textArray(rows.map(row => row.inline_text)),
        integerArray(described.map(agent => agent.number)),
        textArray(described.map(agent => agent.visitorClass)),
      ],
    )
  }
  return profiles
}

/** Returns the sources by their numbers in day_sources. 0: visits without a referrer. */
async function describeSources(client: PoolClient): Promise<ReferrerKeys[]> {
  const sources: ReferrerKeys[] = []
  const numbers = new Map<string, number>()
  const describe = (referrer: string | null) => {
    const keys = referrerKeys(referrer ?? '')
    const name = `${keys.source}\n${keys.channel}`
    const number = numbers.get(name) ?? sources.push(keys) - 1
    numbers.set(name, number)
    return number
  }
  describe(null)
  await client.query(
    `DECLARE sources NO SCROLL CURSOR FOR
     SELECT source.referrer_id AS id, source.referrer AS inline_text, texts.text AS numbered_text
     FROM (SELECT DISTINCT referrer_id, referrer FROM raw_day WHERE referrer_id IS NOT NULL OR referrer IS NOT NULL) AS source
     LEFT JOIN texts ON texts.id = referrer_id`,
  )
  for await (const rows of fetchAll<DistinctText>(client, 'sources')) {
    await client.query(
      'INSERT INTO day_sources SELECT * FROM unnest($1::integer[], $2::text[], $3::integer[])',
      [
        integerArray(rows.map(row => row.id)),
        textArray(rows.map(row => row.inline_text)),
        integerArray(rows.map(row => describe(row.inline_text ?? row.numbered_text))),
      ],
    )
  }
  return sources
}

interface DistinctText {
  id: number | null
  inline_text: string | null
  numbered_text: string | null
}

interface AlikeVisits {
  link_id: number
  profile: number
  source: number
  country: number | null
  language: number | null
  visits: number
}

async function breakDown(client: PoolClient, profiles: AgentKeys[], sources: ReferrerKeys[]): Promise<void> {
  const ofAllLinks: Breakdowns = new Map()
  let linkId: number | undefined
  let ofLink: Breakdowns = new Map()
  let finished: { linkId: number; text: string }[] = []
  const finishLink = () => {
    if (linkId === undefined) return
    addBreakdowns(ofAllLinks, ofLink)
    finished.push({ linkId, text: storedText(ofLink) })
    ofLink = new Map()
  }
  await client.query(
    `DECLARE alike NO SCROLL CURSOR FOR
     SELECT link_id, profile, source, country, language, count(*)::integer AS visits
     FROM described_day GROUP BY 1, 2, 3, 4, 5 ORDER BY 1`,
  )
  for await (const rows of fetchAll<AlikeVisits>(client, 'alike')) {
    for (const row of rows) {
      if (row.link_id !== linkId) finishLink()
      linkId = row.link_id
      addAlike(ofLink, row, profiles, sources)
    }
    if (finished.length >= linksPerInsert) {
      await insertBreakdowns(client, finished)
      finished = []
    }
  }
  finishLink()
  await insertBreakdowns(client, finished)
  await insertBreakdowns(client, [{ linkId: allLinks, text: storedText(ofAllLinks) }])
}

function addAlike(to: Breakdowns, alike: AlikeVisits, profiles: AgentKeys[], sources: ReferrerKeys[]): void {
  const agent = profiles[alike.profile] ?? agentKeys('')
  const humans = agent.class === 'human' ? alike.visits : 0
  const { source, channel } = sources[alike.source] ?? referrerKeys('')
  const keys = [agent.browser, agent.os, agent.device, source, channel]
  // As sum-visits.ts: humans have none.
  if (agent.class !== 'human') keys.push(agent.bot, agent.botGroup)
  keys.push(countryKey(alike.country ?? 0), languageKey(alike.language ?? 0))
  for (const key of keys) addCount(to, key, alike.visits, humans)
}

async function insertBreakdowns(
  client: PoolClient,
  links: { linkId: number; text: string }[],
): Promise<void> {
  await client.query(
    'INSERT INTO day_breakdowns SELECT link_id, text::json FROM unnest($1::bigint[], $2::text[]) AS link (link_id, text)',
    [bigintArray(links.map(link => link.linkId)), textArray(links.map(link => link.text))],
  )
}
