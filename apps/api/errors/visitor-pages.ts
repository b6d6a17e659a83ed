/**
 * Responses to visitors: people whose browser navigates to a link that can't be followed get a small page, programs get
 * the problem document. These pages contain nothing of the request; each is made once, so floods of unknown slugs stay
 * cheap. They need no scripts and load nothing, and their policy allows neither.
 */
import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import { acceptedPage } from './accepted-page.ts'
import type { PageStatus } from './page-texts.ts'
import { pageTexts } from './page-texts.ts'
import type { Problem } from './problem.ts'
import { constantProblem, sendProblem } from './problem.ts'

export interface Brand {
  name: string | undefined
  /** http or https */
  url: string | undefined
}

export interface VisitorPages {
  send(reply: FastifyReply, problem: Problem): void
  /** A page of its own, with status 200. `content` is HTML. */
  write(reply: FastifyReply, page: { language: string; heading: string; content: string }): void
  /** Returns a function that always sends the same; see `constantProblem`. */
  constant(status: PageStatus, detail: string): (reply: FastifyReply) => void
}

export function createVisitorPages(brand: Brand): VisitorPages {
  /** By status and language. */
  const pages = new Map<string, string>()
  for (const [language, texts] of Object.entries(pageTexts))
    for (const [status, [heading, advice]] of Object.entries(texts))
      pages.set(`${status} ${language}`, writePage(language, heading, `<p>${advice}</p>`, brand))

  /** True: the client was sent a page. */
  function sendPage(reply: FastifyReply, status: number, headers?: Record<string, string>): boolean {
    reply.header('vary', 'Accept, Accept-Language')
    const { accept, 'accept-language': languages } = reply.request.headers
    const language = acceptedPage(accept, languages)
    const page = language === undefined ? undefined : pages.get(`${status} ${language}`)
    if (page === undefined) return false
    reply
      .code(status)
      .headers({ ...pageHeaders, ...headers, 'content-language': language })
      .send(page)
    return true
  }

  return {
    send(reply, problem) {
      if (!sendPage(reply, problem.status, problem.headers)) sendProblem(reply, problem)
    },
    write(reply, { language, heading, content }) {
      reply
        .headers({ ...pageHeaders, 'content-language': language })
        .send(writePage(language, heading, content, brand))
    },
    constant(status, detail) {
      const sendDocument = constantProblem(status, detail)
      return reply => {
        if (!sendPage(reply, status)) sendDocument(reply)
      }
    },
  }
}

/** Contrast is at least 7:1 in both schemes (WCAG 2.2, 1.4.6). */
const style =
  ':root{color-scheme:light dark}' +
  'body{font:1.125rem/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-content:center;' +
  'color:#1a1a1a;background:#fff}' +
  'main,footer{max-width:32rem;padding:0 1.5rem;overflow-wrap:anywhere}' +
  'h1{font-size:1.75rem;line-height:1.2;margin:0 0 .75rem}p{margin:0}p+p{margin-top:.75rem}footer{margin-top:2rem;font-size:1rem}' +
  'a{color:inherit}' +
  '@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}}'

const styleHash = createHash('sha256').update(style).digest('base64')

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  // The image is the empty icon, without which browsers request /favicon.ico.
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

function writePage(language: string, heading: string, content: string, brand: Brand): string {
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${heading}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
<h1>${heading}</h1>
${content}
</main>
${writeFooter(brand)}</body>
</html>
`
}

function writeFooter({ name, url }: Brand): string {
  const text = name ?? (url === undefined ? undefined : new URL(url).host)
  if (text === undefined) return ''
  const shown = escapeHtml(text)
  return `<footer>${url === undefined ? shown : `<a href="${escapeHtml(new URL(url).href)}">${shown}</a>`}</footer>\n`
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
