/** How visitors find a link. A closed set: every visit belongs to exactly one channel. */
export const channels = [
  'search',
  'social',
  'mail',
  'messaging',
  'ai assistant',
  'video',
  'ads',
  'direct',
  'other',
] as const

export type Channel = (typeof channels)[number]

export interface Source {
  /** The name of a known source, otherwise a host or an app's id; empty only where the channel is `direct`. */
  source: string
  channel: Channel
}

/**
 * Hosts by source, separated by blanks. A host stands for itself and everything below it; the longest match wins.
 *
 * - `www.example.com` stands for the site's front door alone: `example.com`, `www.`, `m.`, `de.`, but not `shop.`.
 * - `example.*` stands for the name under `com` and under every country's domains (`example.de`, `example.co.uk`).
 */
export type SourceTable = Record<string, string>
