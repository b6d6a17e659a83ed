import { spawnSync } from 'node:child_process'
import { beforeAll, describe, expect, it } from 'vitest'
import { shorten, startApi } from '../support/hopcount.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { buildDashboard } from './chromium.ts'

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
]
const largestScriptBytes = 65_000

describe('the dashboard is served', () => {
  let origin: string
  beforeAll(async () => {
    buildDashboard()
    origin = (await startApi({ databaseUrl: (await createTestDatabase()).url })).origin
  }, 120_000)

  it('with a policy that lets the page run only its own script', async () => {
    const response = await fetch(`${origin}/`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^text\/html/)
    expect(response.headers.get('content-security-policy')?.split(';')).toEqual(policy)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(await response.text()).not.toMatch(/<style|style=|<script(?![^>]* src=)|https?:/)
  })

  it('with immutable files, and at most 65 kB of gzipped JavaScript', async () => {
    const html = await (await fetch(`${origin}/`)).text()
    const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(match => match[1] ?? '')
    expect(files.length).toBeGreaterThan(1)
    for (const file of files) {
      const headers = { 'accept-encoding': 'gzip' }
      const response = await fetch(origin + file, { headers })
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect(response.headers.get('content-encoding')).toBe('gzip')
      if (file.endsWith('.js'))
        expect(Number(response.headers.get('content-length'))).toBeLessThan(largestScriptBytes)
    }
    const scripts = spawnSync('find', ['apps/dashboard/dist', '-name', '*.js'], { encoding: 'utf8' })
    expect(scripts.stdout.trim().split('\n').length).toBe(1)
  })

  it('and no other route has the page’s headers, least of all a redirect', async () => {
    const slug = await shorten(origin)
    for (const path of [`/${slug}`, '/stats', '/healthz', '/assets/none.js', '/..%2fpackage.json']) {
      const response = await fetch(origin + path, { redirect: 'manual' })
      expect(response.headers.get('content-security-policy')).toBeNull()
      expect(response.headers.get('x-frame-options')).toBeNull()
    }
    expect((await fetch(`${origin}/assets/none.js`)).status).toBe(404)
    expect((await fetch(`${origin}/`, { method: 'POST' })).status).toBe(405)
  })
})
