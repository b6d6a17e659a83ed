/** User agents from lists that others keep: the goals of `npm run score:agents` on data that ships with packages. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { describeUserAgent } from '../../../apps/shared/agents/describe-user-agent.ts'

interface Crawler {
  pattern: string
  instances: string[]
  tags?: string[]
}

interface RealAgent {
  userAgent: string
  deviceCategory: 'mobile' | 'desktop' | 'tablet'
}

function readJson<Content>(specifier: string, file: string): Content {
  const folder = new URL('.', import.meta.resolve(specifier))
  return JSON.parse(readFileSync(fileURLToPath(new URL(file, folder)), 'utf8'))
}

const crawlers = readJson<Crawler[]>('crawler-user-agents', 'crawler-user-agents.json')
/** Chrome's web views and editors that the list calls crawlers. */
const people = /MetaIAB|Code\/1|Instagram/
const bots = crawlers.flatMap(({ instances, tags = [] }) =>
  instances.filter(text => !people.test(text)).map(text => ({ text, tags })),
)
const realAgents = readJson<RealAgent[]>('user-agents', 'user-agents.json')

/** In percent. */
function share<Row>(rows: Row[], isRight: (row: Row) => boolean): number {
  expect(rows.length).toBeGreaterThan(20)
  return (100 * rows.filter(isRight).length) / rows.length
}

test('of 2,000 crawlers, 99.5 % are found', () => {
  expect(share(bots, ({ text }) => describeUserAgent(text).class !== 'human')).toBeGreaterThanOrEqual(99.5)
})

test('of the services that preview links, 95 % are told from bots', () => {
  const previews = bots.filter(({ tags }) => tags.includes('social-preview') && !tags.includes('ai-crawler'))
  expect(share(previews, ({ text }) => describeUserAgent(text).class === 'preview')).toBeGreaterThanOrEqual(
    95,
  )
})

test('of the crawlers that are no previews, 98 % are not called one', () => {
  const others = bots.filter(({ tags }) => !tags.includes('social-preview'))
  expect(share(others, ({ text }) => describeUserAgent(text).class !== 'preview')).toBeGreaterThanOrEqual(98)
})

test('of 2,000 crawlers, 95 % have a name', () => {
  expect(share(bots, ({ text }) => describeUserAgent(text).bot !== 'Other')).toBeGreaterThanOrEqual(95)
})

test.each([
  ['ai-crawler', 95, ['ai crawler', 'ai fetcher', 'preview']],
  ['feed-reader', 80, ['feed reader', 'search']],
  ['archiver', 95, ['archive']],
  ['http-library', 80, ['library', 'app']],
  ['search-engine', 95, ['search', 'ai crawler', 'ai fetcher', 'preview']],
] as const)('of the crawlers that others call %s, %d % are in its group', (tag, percent, groups) => {
  const tagged = bots.filter(({ tags }) => tags[0] === tag)
  const inGroup = (text: string) => groups.some(group => group === describeUserAgent(text).botGroup)
  expect(share(tagged, ({ text }) => inGroup(text))).toBeGreaterThanOrEqual(percent)
})

test('of 10,000 real browsers, 99.9 % are people with a browser and a system of ours', () => {
  const isKnown = ({ userAgent }: RealAgent) => {
    const { class: visitorClass, browser, os } = describeUserAgent(userAgent)
    return visitorClass === 'human' && browser !== 'Other' && os !== 'Other'
  }
  expect(share(realAgents, isKnown)).toBeGreaterThanOrEqual(99.9)
})

test('of 10,000 real browsers, 98 % are on the kind of device that was measured', () => {
  expect(
    share(realAgents, row => describeUserAgent(row.userAgent).device === row.deviceCategory),
  ).toBeGreaterThanOrEqual(98)
})
