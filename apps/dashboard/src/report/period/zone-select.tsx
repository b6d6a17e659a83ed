import { browserZone } from '../../address.ts'

/** Some browsers list outdated zone names. */
const presentNames: Record<string, string> = {
  'Africa/Asmera': 'Africa/Asmara',
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Godthab': 'America/Nuuk',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Atlantic/Faeroe': 'Atlantic/Faroe',
  'Europe/Kiev': 'Europe/Kyiv',
  'Pacific/Ponape': 'Pacific/Pohnpei',
  'Pacific/Truk': 'Pacific/Chuuk',
}

const zones = [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone').map(presentName).sort()])]

/** The time zone of days. The browser's zone is the default and is not part of the address. */
export function ZoneSelect(props: { zone: string | undefined; choose: (zone: string | undefined) => void }) {
  const isListed = props.zone === undefined || zones.includes(props.zone)
  return (
    <label class="zone">
      <span>Time zone</span>
      <select
        value={props.zone ?? ''}
        onChange={event => props.choose(event.currentTarget.value || undefined)}
      >
        <option value="">{zoneTitle(browserZone())} (yours)</option>
        {!isListed && <option value={props.zone}>{zoneTitle(props.zone ?? '')}</option>}
        {zones.map(zone => (
          <option key={zone} value={zone}>
            {zoneTitle(zone)}
          </option>
        ))}
      </select>
    </label>
  )
}

function zoneTitle(zone: string): string {
  return presentName(zone).replaceAll('_', ' ')
}

function presentName(zone: string): string {
  return presentNames[zone] ?? zone
}
