/** The OpenAPI document as one HTML page without scripts: it can be searched, printed, and read by a screen reader. */
import { escapeHtml } from '../errors/visitor-pages.ts'
import type { Resolve, Schema } from './schema-html.ts'
import { definition, propertiesHtml, prose, typeWords } from './schema-html.ts'

interface Content {
  content?: Record<string, { schema?: Schema }>
  description?: string
}

interface Operation {
  operationId?: string
  summary?: string
  description?: string
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[]
  requestBody?: Content
  responses?: Record<
    string,
    Content & { headers?: Record<string, { schema?: Schema; description?: string }> }
  >
  security?: Record<string, string[]>[]
}

export interface OpenApi {
  info: { title: string; version: string; description?: string }
  paths?: Record<string, Record<string, Operation>>
  components?: { schemas?: Record<string, Schema> }
}

interface Route {
  method: string
  path: string
  id: string
  operation: Operation
}

export function referenceHtml(document: OpenApi): string {
  const { info, components } = document
  const resolve: Resolve = schema =>
    schema.$ref === undefined
      ? schema
      : (components?.schemas?.[schema.$ref.split('/').at(-1) ?? ''] ?? schema)
  const groups = Map.groupBy(routesOf(document), ({ path }) => groupOf(path))
  const contents = [...groups].map(
    ([name, routes]) => `<li>${escapeHtml(name)}<ul>${routes.map(contentsEntry).join('')}</ul></li>`,
  )
  const sections = [...groups].map(
    ([name, routes]) =>
      `<section><h2>${escapeHtml(name)}</h2>${routes.map(route => routeHtml(route, resolve)).join('')}</section>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)} API</title>
<link rel="stylesheet" href="/docs/reference.css">
</head>
<body>
<nav aria-label="Operations"><ul>${contents.join('')}</ul></nav>
<main>
<h1>${escapeHtml(info.title)} API <small>${escapeHtml(info.version)}</small></h1>
<p>${prose(info.description)} The same as <a href="/openapi.json">OpenAPI 3.1</a>, for client generators.</p>
<p>Where keys are needed, send one as <code>Authorization: Bearer hop_…</code> or <code>X-Api-Key</code>. Errors are problem documents (RFC 9457) with <code>title</code>, <code>status</code>, <code>detail</code> and, for invalid fields, <code>errors</code>.</p>
${sections.join('\n')}
</main>
</body>
</html>
`
}

function routesOf({ paths = {} }: OpenApi): Route[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      id: operation.operationId ?? `${method}${path}`,
      operation,
    })),
  )
}

function groupOf(path: string): string {
  const [, first = '', second = ''] = path.split('/')
  if (first === 'api') return `/api/${second}`
  return first === 'stats' ? '/stats' : 'Links and health'
}

function contentsEntry({ method, path, id }: Route): string {
  return `<li><a href="#${escapeHtml(id)}"><code>${method} ${escapeHtml(path)}</code></a></li>`
}

function routeHtml({ method, path, id, operation }: Route, resolve: Resolve): string {
  const { summary = '', description, parameters = [], requestBody, responses = {}, security } = operation
  const scopes = new Set(security?.flatMap(way => Object.values(way).flat()))
  const rows = parameters.map(({ name, in: place, required = false, description, schema = {} }) =>
    definition(name, {
      type: `${place === 'query' ? '' : `${escapeHtml(place)}, `}${typeWords(schema, resolve)}`,
      isRequired: required,
      description,
    }),
  )
  return `<article id="${escapeHtml(id)}">
<h3><a href="#${escapeHtml(id)}"><code>${method} ${escapeHtml(path)}</code></a> ${escapeHtml(summary)}</h3>
${description === undefined ? '' : `<p>${prose(description)}</p>`}
${scopes.size === 0 ? '' : `<p>Scope: ${[...scopes].map(scope => `<code>${escapeHtml(scope)}</code>`).join(', ')}</p>`}
${rows.length === 0 ? '' : `<h4>Parameters</h4><dl>${rows.join('')}</dl>`}
${requestBody === undefined ? '' : `<h4>Request body</h4>${contentHtml(requestBody, resolve)}`}
<h4>Responses</h4><ul>${Object.entries(responses)
    .map(([status, response]) => responseHtml(status, response, resolve))
    .join('')}</ul>
</article>`
}

/** Errors all have the same content, so only what they mean is said. */
function responseHtml(
  status: string,
  response: NonNullable<Operation['responses']>[string],
  resolve: Resolve,
): string {
  const headers = Object.entries(response.headers ?? {}).map(([name, { schema = {}, description }]) =>
    definition(name, {
      type: `header, ${typeWords(schema, resolve)}`,
      isRequired: true,
      description: description ?? schema.description,
    }),
  )
  const details = status.startsWith('2')
    ? `${headers.length === 0 ? '' : `<dl>${headers.join('')}</dl>`}${contentHtml(response, resolve)}`
    : ''
  const line = `<strong>${escapeHtml(status)}</strong> ${prose(response.description)}`
  return `<li>${line}${details}</li>`
}

function contentHtml({ content = {} }: Content, resolve: Resolve): string {
  return Object.entries(content)
    .map(
      ([type, { schema = {} }]) =>
        `<p><code>${escapeHtml(type)}</code>: ${typeWords(schema, resolve)}</p>${propertiesHtml(schema, resolve)}`,
    )
    .join('')
}
