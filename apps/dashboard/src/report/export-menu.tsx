import { useEffect, useRef } from 'preact/hooks'
import type { Filters } from '../address.ts'
import { fileFormat } from '../api/file-format.ts'
import { reportPath } from '../api/stats.ts'
import type { Requested } from './report-data.ts'

const whats = [
  ['series', 'Visits over time'],
  ['breakdowns', 'Breakdowns'],
  ['visits', 'Every visit'],
] as const
const formats = [
  ['excel', 'Excel'],
  ['csv', 'CSV'],
  ['ndjson', 'NDJSON'],
] as const

/** Files for the period shown, with the visits by everyone that match the filters. */
export function ExportMenu(props: { slug: string | undefined; requested: Requested; filters: Filters }) {
  const { slug, requested, filters } = props
  const menu = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    function closeOn(event: Event): void {
      const element = menu.current
      if (element === null || !element.open) return
      if (event instanceof KeyboardEvent && event.key === 'Escape') {
        element.open = false
        element.querySelector('summary')?.focus()
      }
      if (event.type === 'pointerdown' && !element.contains(event.target as Node)) element.open = false
    }
    document.addEventListener('pointerdown', closeOn)
    document.addEventListener('keydown', closeOn)
    return () => {
      document.removeEventListener('pointerdown', closeOn)
      document.removeEventListener('keydown', closeOn)
    }
  }, [])
  return (
    <details ref={menu} class="menu">
      <summary class="button">Export</summary>
      <div class="menu-body">
        <p class="muted">
          The {Object.keys(filters).length > 0 ? 'filtered visits of the period' : 'period'} shown, as a file;
          humans, bots and previews in separate columns.
        </p>
        <ul>
          {whats.map(([what, title]) => (
            <li key={what}>
              <span>{title}</span>
              {formats.map(([format, name]) => (
                <a
                  key={format}
                  href={exportUrl(slug, requested, filters, what, format)}
                  download
                  aria-label={`${title}, ${name}`}
                >
                  {name}
                </a>
              ))}
            </li>
          ))}
        </ul>
      </div>
    </details>
  )
}

function exportUrl(
  slug: string | undefined,
  { range, zone }: Requested,
  filters: Filters,
  what: string,
  format: string,
): string {
  const { interval, from, to } = range
  const query = {
    what,
    ...fileFormat(format),
    interval,
    from,
    ...(to !== undefined && { to }),
    tz: zone,
    ...filters,
  }
  return `${reportPath(slug)}/export?${new URLSearchParams(query)}`
}
