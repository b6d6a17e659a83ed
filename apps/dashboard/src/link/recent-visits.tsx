import type { LinkStats } from '../api/stats.ts'
import { ForeignLink } from '../page/foreign-link.tsx'
import { ago, dateAndTime } from '../text/times.ts'

/** The newest visits. Referrer and user agent are what a client sent: any text at all. */
export function RecentVisits({
  recent,
  zone,
  now,
}: {
  recent: LinkStats['recent']
  zone: string
  now: number
}) {
  if (recent.length === 0) return <p class="muted">Each visit is listed here, the newest first.</p>
  return (
    <table class="recent">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">From</th>
          <th scope="col">User agent</th>
        </tr>
      </thead>
      <tbody>
        {recent.map((visit, i) => (
          <tr key={`${visit.visited_at} ${i}`}>
            <td>
              <time dateTime={visit.visited_at}>
                {dateAndTime(visit.visited_at, zone, true)}{' '}
                <span class="muted">{ago(visit.visited_at, now)}</span>
              </time>
            </td>
            <td>
              {visit.referrer === null ? (
                <span class="muted">direct</span>
              ) : (
                <ForeignLink url={visit.referrer} />
              )}
            </td>
            <td class="user-agent">
              {visit.user_agent === null ? (
                <span class="muted">none</span>
              ) : (
                <bdi title={visit.user_agent}>{visit.user_agent}</bdi>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
