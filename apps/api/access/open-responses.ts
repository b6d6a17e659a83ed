/**
 * Long responses (live counts, exports) end when the key that they were allowed by does: it is looked up again while they
 * are being sent. One whose key can't be looked up ends, too.
 */
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Scope } from './actor.ts'
import { allows } from './actor.ts'
import type { Credential } from './authenticate.ts'
import { identify } from './authenticate.ts'
import type { CredentialStore } from './credentials.ts'

export interface OpenResponses {
  /** Until the response has been sent. */
  watch(reply: FastifyReply, credential: Credential, scope: Scope | undefined): void
}

/** With the time in which changes are heard, a response ends within a second. */
const checkEveryMs = 250

export function endWithKeys(app: FastifyInstance, { store }: { store: CredentialStore }): OpenResponses {
  const open = new Map<
    FastifyReply['raw'],
    { credential: Credential; scope: Scope | undefined; since: number }
  >()
  let isChecking = false
  const timer = setInterval(() => {
    const old = [...open].filter(([, { since }]) => since < performance.now() - checkEveryMs)
    if (old.length === 0 || isChecking) return
    isChecking = true
    void check(old).finally(() => {
      isChecking = false
    })
  }, checkEveryMs).unref()
  app.addHook('onClose', async () => clearInterval(timer))

  async function check(responses: (typeof open extends Map<infer Raw, infer Use> ? [Raw, Use] : never)[]) {
    const credentials = await (store.trusted() ?? store.read().catch(() => undefined))
    for (const [response, { credential, scope }] of responses) {
      const identity = credentials && identify(credential, credentials)
      const isAllowed = identity !== undefined && (scope === undefined || allows(identity.actor, scope))
      if (!isAllowed && !response.writableEnded) response.destroy()
    }
  }

  return {
    watch({ raw: response }, credential, scope) {
      if (response.destroyed) return
      open.set(response, { credential, scope, since: performance.now() })
      response.once('close', () => open.delete(response))
    },
  }
}
