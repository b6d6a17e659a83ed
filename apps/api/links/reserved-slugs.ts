/**
 * Words that nobody gets as a slug, in addition to those that are routes: people trust `/login` and `/paypal` because of
 * the domain in front of them, and paths such as `/admin` may be needed later. Existing links keep these slugs, and
 * generated slugs contain no vowels, so they are none of these.
 *
 * Names that people use for links of their own (`/github`, `/instagram`, `/jobs`, `/shop`) are free.
 */
const pages =
  'abuse account accounts admin administrator api apis assets auth authorize billing callback checkout config ' +
  'console css dashboard dmca error errors favicon graphql health help helpdesk index invoice js keys legal links ' +
  'log-in log-out login logout manage metrics moderator oauth oauth2 passwd password passwords pay payment ' +
  'payments postmaster privacy profile qr recover recovery refund register reset robots root rss search secure ' +
  'security service session sessions settings sign-in sign-out sign-up signin signout signup sitemap sso static ' +
  'status support sysadmin system terms token tokens unsubscribe upload user users verification verify wallet ' +
  'webhook webhooks webmail webmaster well-known wp-admin wp-login www'

/** Names that phishing imitates: banks and payment, accounts, parcel services, cryptocurrency. */
const brands =
  'adobe alipay amazon amex apple bankofamerica barclays bbva binance caixabank citibank coinbase commerzbank ' +
  'correos dhl docusign dpd ebay facebook fedex gmail google hsbc icloud irs klarna kraken mastercard metamask ' +
  'microsoft netflix nubank office365 onedrive outlook paypal postbank revolut santander sharepoint sparkasse ' +
  'swisscom trezor usps venmo walmart wellsfargo yahoo zelle'

/** In lower case. */
export const reservedSlugs: readonly string[] = `${pages} ${brands}`.split(' ')
