/**
 * What user agents and referrers say, remembered: describing one anew takes 50 µs. The lists that it takes are loaded
 * when they are needed first: the start of the process does without them.
 */
import type { UserAgent } from '@hopcount/shared/describe-user-agent.ts'
import { LRUCache } from 'lru-cache'

export interface TextDescriber {
  userAgent(text: string | null): UserAgent
  referrer(text: string | null): string
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
    import('@hopcount/shared/describe-user-agent.ts'),
    import('@hopcount/shared/describe-referrer.ts'),
  ])
  return { userAgent: rememberPerText(describeUserAgent), referrer: rememberPerText(describeReferrer) }
}

function rememberPerText<Described extends object | string>(
  describe: (text: string) => Described,
): (text: string | null) => Described {
  const known = new LRUCache<string, Described>({ max: remembered })
  return text => {
    const key = text ?? ''
    let described = known.get(key)
    if (described === undefined) {
      described = describe(key)
      known.set(key, described)
    }
    return described
  }
}
