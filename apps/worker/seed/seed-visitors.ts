/**
 * The visitors of seeded visits: realistic user agents and referrers, a few of them frequent and many of them rare. `{n}`
 * stands for a number that differs between visitors, such as a version or a page.
 */
export const userAgents = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_{n} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.{n} Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.{n} Safari/605.1.15',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{n}.0) Gecko/20100101 Firefox/{n}.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Safari/537.36 Edg/{n}.0.0.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22F76 Instagram 3{n}.0.2.24',
  'Mozilla/5.0 (X11; Linux x86_64; rv:{n}.0) Gecko/20100101 Firefox/{n}.0',
  'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
]
export const userAgentNumbers = 60

export const referrers = [
  'https://www.google.com/',
  'https://t.co/',
  'https://www.facebook.com/',
  'https://l.instagram.com/',
  'https://www.linkedin.com/',
  'https://www.reddit.com/r/topic{n}/',
  'https://news.ycombinator.com/item?id=4400{n}',
  'https://www.youtube.com/watch?v=video{n}',
  'https://blog.example.com/2026/post-{n}',
  'https://duckduckgo.com/',
]
export const referrerNumbers = 1_000
/** The share of visits with a referrer. */
export const referrerShare = 0.55

/** Upper-case ISO 3166-1 alpha-2, most frequent first; empty: unknown. */
export const countries = [
  'US',
  'DE',
  'IN',
  'GB',
  'FR',
  'BR',
  'JP',
  'NL',
  'CA',
  'ES',
  '',
  'IT',
  'PL',
  'AU',
  'SE',
  'NP',
  'ZA',
  'MX',
]
/** ISO 639, most frequent first; empty: unknown. */
export const languages = ['en', 'de', 'fr', 'es', 'pt', 'hi', '', 'ja', 'nl', 'it', 'pl', 'sv', 'zh', 'ne']
/** Visitors per visit of a day; each visit's visitor is drawn among them, some more often than others. */
export const visitorsPerVisit = 0.7
