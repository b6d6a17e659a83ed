/** How often user agents are described as a labelled list says. */
import { describeUserAgent } from '../../apps/shared/agents/describe-user-agent.ts'
import { browserFamily, deviceFamily, systemFamily, unscoredDevices } from './name-families.ts'

export interface LabelledAgent {
  class: string
  /** Empty where the source does not say. */
  browser: string
  os: string
  device: string
  userAgent: string
}

export interface Score {
  rows: number
  right: number
  /** "said → described", with how often. */
  confusions: Map<string, number>
}

/** What goals are set for, and the order of the table. */
export const measures = ['bots', 'humans', 'previews', 'browser', 'system', 'device', 'television'] as const

export type Measure = (typeof measures)[number]

export const measureDescriptions: Record<Measure, string> = {
  bots: 'bots and previews that are not called human',
  humans: 'plain browsers of humans that are called human',
  previews: 'previews that are told from bots',
  browser: 'browsers of plain browsers, by family',
  system: 'systems of plain browsers, by family',
  device: 'kinds of devices of plain browsers, by family',
  television: 'televisions among them',
}

/** Columns: class, browser, system, device, source, user agent; with a header. */
export function readLabelledAgents(text: string): LabelledAgent[] {
  const [header = '', ...lines] = text.trimEnd().split('\n')
  if (!/^class\tbrowser\tos\tdevice\t[^\t]*\tuser_agent$/.test(header))
    throw new Error(
      'no list of labelled user agents: its header must be class, browser, os, device, source, user_agent',
    )
  return lines.map(line => {
    const [visitorClass = '', browser = '', os = '', device = '', , userAgent = ''] = line.split('\t')
    return { class: visitorClass, browser, os, device, userAgent }
  })
}

export function scoreAgents(agents: LabelledAgent[]): Record<Measure, Score> {
  const none = (): Score => ({ rows: 0, right: 0, confusions: new Map() })
  const scores: Record<Measure, Score> = {
    ...{ bots: none(), humans: none(), previews: none() },
    ...{ browser: none(), system: none(), device: none(), television: none() },
  }
  for (const agent of agents) scoreAgent(scores, agent)
  return scores
}

function scoreAgent(scores: Record<Measure, Score>, agent: LabelledAgent): void {
  const described = describeUserAgent(agent.userAgent)
  const automatic = described.class === 'human' ? 'human' : 'automatic'
  if (agent.class !== 'human') add(scores.bots, 'automatic', automatic)
  if (agent.class === 'preview') add(scores.previews, 'preview', described.class)
  // The rest are apps, players and libraries: sources disagree about whether they are humans.
  if (agent.class !== 'human' || !isPlainBrowser(agent.userAgent)) return
  add(scores.humans, 'human', described.class)
  if (agent.browser !== '')
    add(scores.browser, browserFamily(agent.browser), browserFamily(described.browser))
  if (agent.os !== '') add(scores.system, systemFamily(agent.os), systemFamily(described.os))
  if (agent.device === '' || unscoredDevices.has(agent.device)) return
  const device = deviceFamily(agent.device)
  add(scores.device, device, described.device)
  if (device === 'tv') add(scores.television, device, described.device)
}

function isPlainBrowser(userAgent: string): boolean {
  return /^(?:Mozilla|Opera)\//.test(userAgent)
}

function add(score: Score, said: string, described: string): void {
  score.rows++
  if (said === described) {
    score.right++
    return
  }
  const confusion = `${said} → ${described || 'none'}`
  score.confusions.set(confusion, (score.confusions.get(confusion) ?? 0) + 1)
}

/** In percent; 100 where there is nothing to be wrong about. */
export function rightShare({ rows, right }: Score): number {
  return rows === 0 ? 100 : (100 * right) / rows
}
