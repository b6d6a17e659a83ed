import { render } from 'preact'
import { SessionProvider } from './access/session.tsx'
import { App } from './app.tsx'
import { NavigationProvider } from './navigation.tsx'
import { keepFocus } from './page/keep-focus.ts'
import { keepEntries } from './page/kept-entry.ts'
import { applyTheme } from './page/theme.ts'
import './style/tokens.css'
import './style/page.css'
import './style/controls.css'
import './style/links.css'
import './style/report.css'
import './style/chart.css'
import './style/manage.css'
import './style/contrast.css'
import './style/phone.css'
import './style/print.css'
import './style/qr.css'

const root = document.getElementById('app')
if (root === null) throw new Error('the page has no #app')
applyTheme()
keepEntries()
keepFocus()
render(
  <NavigationProvider>
    <SessionProvider>
      <App />
    </SessionProvider>
  </NavigationProvider>,
  root,
)
