import { filterNames } from '../../address.ts'
import { useNavigation } from '../../navigation.tsx'
import { CrossIcon } from '../../page/controls/icons.tsx'
import { filterTitles, valueName } from '../../text/value-names.ts'

/** The active filters; each is a button that removes it. */
export function FilterChips() {
  const { address, go } = useNavigation()
  const { filters } = address
  const names = filterNames.filter(name => filters[name] !== undefined)
  return (
    <div role="status">
      {names.length > 0 && (
        <ul class="chips" aria-label="Filters">
          {names.map(name => {
            const { [name]: value = '', ...others } = filters
            return (
              <li key={name}>
                <button
                  type="button"
                  class="chip"
                  aria-label={`Remove the filter ${filterTitles[name]}: ${valueName(name, value)}`}
                  onClick={() => go({ filters: others })}
                >
                  <span class="muted">{filterTitles[name]}</span> <bdi>{valueName(name, value)}</bdi>
                  <CrossIcon />
                </button>
              </li>
            )
          })}
          {names.length > 1 && (
            <li>
              <button type="button" class="quiet small" onClick={() => go({ filters: {} })}>
                Remove all
              </button>
            </li>
          )}
        </ul>
      )}
    </div>
  )
}
