import type { Plugin } from 'vite'
import { defineConfig } from 'vite'

/** The API that `vite apps/dashboard` passes requests on to. */
const api = process.env.HOPCOUNT_API ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [renderAfterScript()],
  build: {
    target: 'es2023',
    // The policy of the page allows no inlined script, style or font.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
  server: { proxy: { '^/(api/|shorten|stats|readyz)': api } },
})

/** Without this, a page whose reader chose the other theme than the system's would flash in the system's first. */
function renderAfterScript(): Plugin {
  return {
    name: 'render-after-script',
    transformIndexHtml: {
      order: 'post',
      handler: html => html.replace('<script type="module"', '<script type="module" blocking="render"'),
    },
  }
}
