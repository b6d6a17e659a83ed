import { expect, test } from 'vitest'
import { describeUserAgent } from '../../../apps/shared/agents/describe-user-agent.ts'

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const chrome = `Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/141.0.0.0 Safari/537.36`

test.each([
  ['Bing preview', 'Mozilla/5.0 (Windows NT 6.3; WOW64; Trident/7.0; rv:11.0; BingPreview/2.0) like Gecko'],
  ['Google preview', `${chrome} Google Web Preview`],
  ['Google preview', 'Mozilla/5.0 (Windows NT 6.1) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)'],
  ['Yahoo preview', 'Mozilla/5.0 (compatible; Yahoo Link Preview; https://help.yahoo.com/)'],
  ['Slack preview', 'Slackbot 1.0 (+https://api.slack.com/robots)'],
  ['Slack preview', 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)'],
  ['Facebook preview', 'Mozilla/5.0 (compatible; Meta-ExternalHit/2.0; +http://www.facebook.com/)'],
  ['Facebook preview', 'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)'],
  ['iMessage preview', `${chrome} facebookexternalhit/1.1 Facebot Twitterbot/1.0`],
  ['Fediverse preview', 'Lemmy/0.19.9; +https://lemmy.example'],
  ['Fediverse preview', "Friendica 'Yellow Archangel' 2024.12; https://social.example"],
  ['Mastodon preview', 'http.rb/5.2.0 (Mastodon/4.4.1; +https://mastodon.example/)'],
  ['Matrix preview', 'Synapse (bot; +https://github.com/matrix-org/synapse)'],
  ['Steam preview', 'Valve/Steam HTTP Client 1.0 (SteamChatURLLookup)'],
  ['GroupMe preview', 'GroupMeBot/1.0'],
  ['DingTalk preview', 'DingTalkBot-LinkService/1.0 (+https://open-doc.dingtalk.com/)'],
  ['Notion preview', 'Notion/1.0'],
  ['Discourse preview', 'Discourse Forum Onebox v3.5.0'],
  ['WhatsApp preview', 'WhatsApp'],
  ['WhatsApp preview', 'WhatsApp/2.23.20.0'],
  ['Viber preview', 'Viber'],
  ['Telegram preview', 'TelegramBot (like TwitterBot)'],
  ['X preview', 'Twitterbot/1.0'],
  ['Discord preview', 'Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)'],
  [
    'LinkedIn preview',
    'LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)',
  ],
])('%s is a preview: %s', (bot, userAgent) => {
  expect(describeUserAgent(userAgent)).toEqual({
    class: 'preview',
    browser: 'Link preview',
    os: '',
    device: '',
    bot,
    botGroup: 'preview',
  })
})

test.each([
  ['ai crawler', 'GPTBot', `${webkit}; compatible; GPTBot/1.3; +https://openai.com/gptbot`],
  ['ai crawler', 'ClaudeBot', `Mozilla/5.0 ${webkit}; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)`],
  [
    'ai crawler',
    'Bytespider',
    'Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (compatible; Bytespider)',
  ],
  ['ai crawler', 'CCBot', 'CCBot/2.0 (https://commoncrawl.org/faq/)'],
  [
    'ai crawler',
    'Meta AI',
    'meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)',
  ],
  [
    'ai fetcher',
    'ChatGPT-User',
    `Mozilla/5.0 ${webkit}; compatible; ChatGPT-User/1.0; +https://openai.com/bot`,
  ],
  [
    'ai fetcher',
    'Claude-User',
    `Mozilla/5.0 ${webkit}; compatible; Claude-User/1.0; +Claude-User@anthropic.com)`,
  ],
  [
    'ai fetcher',
    'Perplexity-User',
    `Mozilla/5.0 ${webkit}; compatible; Perplexity-User/1.0; +https://perplexity.ai/)`,
  ],
  ['search', 'Googlebot', 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'],
  [
    'search',
    'Googlebot',
    `Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) ${webkit} Chrome/141.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`,
  ],
  [
    'search',
    'Bingbot',
    `Mozilla/5.0 ${webkit}; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/136.0.0.0 Safari/537.36`,
  ],
  ['search', 'Sogou spider', 'Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)'],
  ['monitoring', 'UptimeRobot', 'Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)'],
  [
    'monitoring',
    'GTmetrix',
    `Mozilla/5.0 (X11; Linux x86_64; GTmetrix https://gtmetrix.com/) ${webkit} Chrome/141.0.0.0 Safari/537.36`,
  ],
  ['mail scanner', 'Barracuda', 'Barracuda Sentinel (EE)'],
  ['mail scanner', 'Barracuda', `${chrome} (compatible; Barracuda Sentinel (EE))`],
  [
    'mail scanner',
    'Barracuda',
    'Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0; Barracuda Networks)',
  ],
  ['other', 'Other', `${chrome} (compatible; Something New (1))`],
  ['security', 'Censys', 'Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)'],
  ['seo', 'AhrefsBot', 'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)'],
  ['feed reader', 'Feedly', 'Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers)'],
  [
    'archive',
    'Internet Archive',
    'Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)',
  ],
  [
    'library',
    'PowerShell',
    'Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.1682',
  ],
  ['library', 'Dart', 'Dart/3.9 (dart:io)'],
  ['library', 'jsdom', 'Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/20.0.3'],
  ['library', 'curl', 'curl/8.9.1'],
  ['library', 'Python', 'python-requests/2.32.3'],
  ['library', 'Headless browsers', chrome.replace('Chrome', 'HeadlessChrome')],
  ['library', '.NET', 'RestSharp/112.1.0.0 .NET/9.0'],
  ['search', 'yacybot', 'yacybot (/global; amd64 Linux 6.1; java 17; GMT/en) http://yacy.net/bot.html'],
  ['monitoring', 'LogicMonitor', 'Mozilla/5.0 (compatible; LogicMonitor SiteMonitor/1.0)'],
  ['other', 'Zapier', 'Zapier'],
  ['other', 'IFTTT', 'IFTTT/1.0'],
  // Words of libraries inside an address or another word
  ['other', 'Other', 'Mozilla/5.0 (compatible; SomethingNewBot/0.1; +http://new.net/bot.php)'],
  ['other', 'Other', 'Mozilla/5.0 (compatible; SuperLikeBot/0.1; +http://example.com/)'],
  [
    'other',
    'Other',
    `${chrome.replace('Chrome/', 'Focus/1.3 Chrome/')} (compatible; Google-SomethingNew/2.0)`,
  ],
  ['other', 'Other', 'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; {})'],
  ['other', 'Other', 'Mozilla/5.0 (Windows NT 6.2; Win64; x64) AppleWebKit/534.34 wkhtmltopdf Safari/534.34'],
  ['library', 'Java', 'ReactorNetty/1.2.9'],
  ['library', 'Elixir and Erlang', 'tesla/1.14 (hackney)'],
  [
    'library',
    'Google Apps Script',
    'Mozilla/5.0 (compatible; Google-Apps-Script; beanserver; +https://script.google.com)',
  ],
  ['library', 'Node.js', 'got (https://github.com/sindresorhus/got)'],
  ['library', 'curl', 'curl'],
  [
    'ai crawler',
    'YandexAdditional',
    'Mozilla/5.0 (compatible; YandexAdditional/3.0; +http://yandex.com/bots)',
  ],
  ['search', 'Yandex', 'Mozilla/5.0 (compatible; YandexFavicons/1.0)'],
  ['library', 'Headless browsers', 'Lightpanda/1.0'],
  ['ai crawler', 'Grok', 'Mozilla/5.0 (compatible; xAI-SearchBot/1.0; +https://x.ai)'],
  ['monitoring', 'Kubernetes', 'kube-probe/1.33'],
  ['other', 'Other', 'Mozilla/5.0 (compatible; SomethingNewBot/0.1)'],
  ['other', 'Other', 'Mozilla/5.0 (Nobody knows this)'],
  ['other', 'Other', undefined],
  ['other', 'Other', ''],
])('a bot of the group %s is named %s: %s', (botGroup, bot, userAgent) => {
  expect(describeUserAgent(userAgent)).toEqual({
    class: 'bot',
    browser: 'Bot',
    os: '',
    device: '',
    bot,
    botGroup,
  })
})

test.each([
  ['Android app', 'Android', 'mobile', 'Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UP1A.231005.007)'],
  ['Apple app', 'iOS', 'mobile', 'MobileSafari/8621.2.5.10.10 CFNetwork/3826.500.131 Darwin/24.5.0'],
  ['Apple app', 'iOS', 'mobile', 'NetworkingExtension/8621.2.5.10.10 Network/4277.122.1 iOS/18.5'],
  ['Android app', 'Android', 'mobile', 'Mozilla/5.0 (Android) Cronet/141.0.7390.97'],
  ['Apple app', 'iOS', 'mobile', 'SomeApp/12 CFNetwork/1568.200.51 Darwin/24.1.0'],
  ['Apple app', 'macOS', 'desktop', 'SomeApp/12 CFNetwork/596.5 Darwin/12.5.0 (x86_64) (MacBookAir4%2C1)'],
])(
  'what an app loads without a browser is automatic, and its device is told: %s %s %s',
  (bot, os, device, userAgent) => {
    expect(describeUserAgent(userAgent)).toEqual({
      class: 'bot',
      browser: 'Bot',
      os,
      device,
      bot,
      botGroup: 'app',
    })
  },
)
