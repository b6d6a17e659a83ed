/**
 * Descriptions of user agents and referrers, memoized: describing a new one takes some 15 µs. The lists that it needs are
 * loaded on first use, so the process starts without them.
 */
import type { UserAgent } from '@hopcount/shared/agents/describe-user-agent.ts'
import type { Source } from '@hopcount/shared/sources/channels.ts'
import { LRUCache } from 'lru-cache'

export interface TextDescriber {
  userAgent(text: string | null): UserAgent
  referrer(text: string | null): Source
}

const remembered = 10_000

let loading: Promise<TextDescriber> | undefined

export function loadTextDescriber(): Promise<TextDescriber> {
  loading ??= load().catch(error => {
    loading = undefined
    throw error
  })
  return loading
}

async function load(): Promise<TextDescriber> {
  const [{ describeUserAgent }, { describeReferrer }] = await Promise.all([
    import('@hopcount/shared/agents/describe-user-agent.ts'),
    import('@hopcount/shared/sources/describe-referrer.ts'),
  ])
  return { userAgent: rememberPerText(describeUserAgent), referrer: rememberPerText(describeReferrer) }
}

function rememberPerText<Described extends object | string>(
  describe: (text: string) => Described,
): (text: string | null) => Described {
  const described = new LRUCache<string, Described>({ max: remembered, memoMethod: text => describe(text) })
  return text => described.memo(text ?? '')
}
