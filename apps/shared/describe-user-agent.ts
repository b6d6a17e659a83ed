/** What a user agent says about who visits: a person, a bot, or a service that previews a link for its readers. */
import Bowser from 'bowser'
import { isbot } from 'isbot'

export type VisitorClass = 'human' | 'bot' | 'preview'

export interface UserAgent {
  class: VisitorClass
  /** Empty where it is not told. */
  browser: string
  os: string
  /** `desktop`, `mobile`, `tablet`, `tv` or empty. */
  device: string
}

const maxLength = 512
/** Bowser takes the name of a browser it does not know from the text. */
const maxNameLength = 40

/**
 * Services that fetch a page because somebody has posted or sent its link, by the words that they name themselves with
 * in their own documentation. The rest of what is automatic is a bot.
 */
const previewPattern =
  /facebookexternalhit|facebot|twitterbot|slackbot-linkexpanding|slack-imgproxy|discordbot|telegrambot|whatsapp\/|linkedinbot|skypeuripreview|microsoftpreview|redditbot|pinterestbot|vkshare|viber|snapchat.*preview|snap url preview|iframely|embedly|mattermost|mastodon\/|misskey|bluesky|cardyb|googlemessages|google-pagerenderer|iMessage|line-poker|kakaotalk-scrap|tumblr\/|flipboardproxy|nuzzel|bitlybot|xing-contenttabreceiver/i

/** Describes a user agent, in some 25 µs; without one it is a bot: every browser sends one. */
export function describeUserAgent(text: string | undefined): UserAgent {
  const userAgent = text?.slice(0, maxLength) ?? ''
  if (previewPattern.test(userAgent)) return { class: 'preview', browser: 'Link preview', os: '', device: '' }
  if (userAgent === '' || isbot(userAgent)) return { class: 'bot', browser: 'Bot', os: '', device: '' }
  try {
    const { browser, os, platform } = Bowser.parse(userAgent)
    return {
      class: 'human',
      browser: browser.name?.slice(0, maxNameLength) ?? '',
      os: os.name?.slice(0, maxNameLength) ?? '',
      device: platform.type ?? '',
    }
  } catch {
    // Bowser refuses what it can't take for a user agent at all.
    return { class: 'human', browser: '', os: '', device: '' }
  }
}
