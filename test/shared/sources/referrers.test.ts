import { expect, test } from 'vitest'
import type { Channel } from '../../../apps/shared/sources/channels.ts'
import { describeReferrer } from '../../../apps/shared/sources/describe-referrer.ts'

/** Lines of `referrers → source`; a referrer without a scheme is a host under https. */
function rows(channel: Channel, lines: string): { channel: Channel; referrer: string; source: string }[] {
  return lines
    .trim()
    .split('\n')
    .flatMap(line => {
      const [referrers = '', source = ''] = line.split('→').map(part => part.trim())
      return referrers.split(/\s+/).map(text => ({
        channel,
        referrer: text.includes('://') ? text : `https://${text}/`,
        source,
      }))
    })
}

function countryHosts(name: string, suffixes: string): string {
  return suffixes
    .split(' ')
    .map(suffix => `www.${name}.${suffix} ${name}.${suffix}`)
    .join(' ')
}

const googleSuffixes =
  'com ac ad ae al am as at az ba be bf bg bi bj bs bt by ca cat cd cf cg ch ci cl cm cn co.ao co.bw co.ck co.cr co.id co.il co.in co.jp co.ke co.kr co.ls co.ma co.mz co.nz co.th co.tz co.ug co.uk co.uz co.ve co.vi co.za co.zm co.zw com.af com.ag com.ar com.au com.bd com.bh com.bn com.bo com.br com.bz com.co com.cu com.cy com.do com.ec com.eg com.et com.fj com.gh com.gi com.gt com.hk com.jm com.kh com.kw com.lb com.ly com.mm com.mt com.mx com.my com.na com.ng com.ni com.np com.om com.pa com.pe com.pg com.ph com.pk com.pr com.py com.qa com.sa com.sb com.sg com.sl com.sv com.tj com.tr com.tw com.ua com.uy com.vc com.vn cv cz de dj dk dm dz ee es fi fm fr ga ge gg gl gm gr gy hn hr ht hu ie im iq is it je jo kg ki kz la li lk lt lu lv md me mg mk ml mn mu mv mw ne nl no nr nu pl pn ps pt ro rs ru rw sc se sh si sk sm sn so sr st td tg tl tm tn to tt vu ws'

const search = rows(
  'search',
  `
  ${countryHosts('google', googleSuffixes)} → Google
  https://www.google.com/search?q=hop https://www.google.com/url?sa=t&source=web&url=x images.google.fr → Google
  m.google.com cse.google.com lens.google.com webcache.googleusercontent.com → Google
  android-app://com.google.android.googlequicksearchbox/ ios-app://284815942/ → Google
  scholar.google.com scholar.google.de → Google Scholar
  www.bing.com bing.com cn.bing.com m.bing.com https://www.bing.com/ck/a?x cc.bingj.com → Bing
  duckduckgo.com html.duckduckgo.com lite.duckduckgo.com android-app://com.duckduckgo.mobile.android/ → DuckDuckGo
  search.yahoo.com r.search.yahoo.com uk.search.yahoo.com fr.search.yahoo.com br.search.yahoo.com → Yahoo
  search.yahoo.co.jp www.yahoo.co.jp yahoo.com de.yahoo.com tw.search.yahoo.com → Yahoo
  yandex.ru www.yandex.com yandex.com.tr yandex.kz yandex.by yandex.uz yandex.fr ya.ru www.ya.ru m.yandex.ru → Yandex
  www.baidu.com m.baidu.com baidu.com image.baidu.com → Baidu
  search.naver.com m.search.naver.com www.naver.com m.naver.com → Naver
  search.daum.net m.search.daum.net www.daum.net → Daum
  www.sogou.com m.sogou.com weixin.sogou.com → Sogou
  www.so.com m.so.com → 360
  so.m.sm.cn m.sm.cn → Shenma
  search.seznam.cz www.seznam.cz → Seznam
  www.ecosia.org → Ecosia
  www.qwant.com lite.qwant.com → Qwant
  www.startpage.com eu.startpage.com → Startpage
  search.brave.com → Brave
  kagi.com → Kagi
  www.mojeek.com → Mojeek
  swisscows.com → Swisscows
  metager.org metager.de → MetaGer
  search.aol.com search.aol.co.uk → AOL
  go.mail.ru mail.ru → Mail.ru
  coccoc.com → Coc Coc
  suche.t-online.de → T-Online
  suche.gmx.net → GMX
  szukaj.onet.pl → Onet
  searx.example → searx.example
  yep.com → Yep
  presearch.com → Presearch`,
)

const social = rows(
  'social',
  `
  www.facebook.com m.facebook.com l.facebook.com lm.facebook.com mbasic.facebook.com web.facebook.com de-de.facebook.com → Facebook
  https://l.facebook.com/l.php?u=https%3A%2F%2Fhop.example%2Fa android-app://com.facebook.katana/ ios-app://284882215/ fb.me → Facebook
  www.instagram.com l.instagram.com android-app://com.instagram.android → Instagram
  www.threads.net www.threads.com l.threads.com → Threads
  t.co https://t.co/AbC123 x.com mobile.twitter.com mobile.x.com twitter.com android-app://com.twitter.android → X
  www.linkedin.com de.linkedin.com lnkd.in android-app://com.linkedin.android/ ios-app://288429040/ com.linkedin.android → LinkedIn
  www.reddit.com old.reddit.com new.reddit.com out.reddit.com np.reddit.com sh.reddit.com redd.it android-app://com.reddit.frontpage → Reddit
  ${countryHosts('pinterest', 'com de fr co.uk es it ca com.au com.mx jp co.kr ch at pt se dk nz ie ph cl')} pin.it → Pinterest
  in.pinterest.com www.pinterest.de br.pinterest.com android-app://com.pinterest → Pinterest
  www.tiktok.com vm.tiktok.com m.tiktok.com → TikTok
  www.douyin.com → Douyin
  www.snapchat.com → Snapchat
  bsky.app go.bsky.app staging.bsky.app android-app://xyz.blueskyweb.app → Bluesky
  mastodon.social fosstodon.org mstdn.jp hachyderm.io → Mastodon
  weibo.com m.weibo.cn t.cn www.weibo.com → Weibo
  vk.com m.vk.com vk.ru m.vk.ru away.vk.com https://vk.com/away.php?to=https%3A%2F%2Fhop.example → VK
  ok.ru m.ok.ru → Odnoklassniki
  my.mail.ru → My World
  dzen.ru → Dzen
  www.xing.com → Xing
  www.tumblr.com blog.tumblr.com t.umblr.com https://href.li/?https://hop.example/a → Tumblr
  www.quora.com de.quora.com → Quora
  news.ycombinator.com → Hacker News
  www.zhihu.com link.zhihu.com → Zhihu
  www.xiaohongshu.com → Xiaohongshu
  tieba.baidu.com → Baidu Tieba
  qzone.qq.com user.qzone.qq.com → Qzone
  blog.naver.com m.blog.naver.com → Naver Blog
  cafe.naver.com m.cafe.naver.com → Naver Cafe
  b.hatena.ne.jp → Hatena
  github.com gist.github.com → GitHub
  stackoverflow.com ru.stackoverflow.com → Stack Overflow
  https://steamcommunity.com/linkfilter/?u=https%3A%2F%2Fhop.example → Steam
  exit.sc soundcloud.com → SoundCloud
  lobste.rs → Lobsters
  mastodon.example → mastodon.example
  lemmy.example → lemmy.example
  linktr.ee → Linktree`,
)

const mail = rows(
  'mail',
  `
  mail.google.com inbox.google.com android-app://com.google.android.gm/ ios-app://422689480/ https://www.google.com/url?q=x&source=gmail → Gmail
  outlook.live.com outlook.office.com outlook.office365.com outlook.cloud.microsoft android-app://com.microsoft.office.outlook → Outlook
  https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fhop.example%2Fa&data=05 eur03.safelinks.protection.outlook.com → Outlook
  mail.yahoo.com mail.yahoo.co.jp mail.yahoo.co.uk us-mg5.mail.yahoo.com jp.mg5.mail.yahoo.co.jp fr.mail.yahoo.com → Yahoo Mail
  mail.yandex.ru mail.yandex.com mail.yandex.com.tr mail.yandex.kz → Yandex Mail
  e.mail.ru touch.mail.ru light.mail.ru → Mail.ru Mail
  www.icloud.com → iCloud Mail
  mail.aol.com → AOL Mail
  mail.proton.me mail.protonmail.com → Proton Mail
  mail.zoho.com mail.zoho.eu mail.zoho.in → Zoho Mail
  www.gmx.net navigator.gmx.net deref-gmx.net deref-gmx.at deref-gmx.ch www.gmx.com www.gmx.ch bap.navigator.gmx.net → GMX Mail
  deref-web.de navigator.web.de dereferrer.web.de 3c.web.de → WEB.DE Mail
  deref-mail.com www.mail.com → mail.com
  mail.qq.com wx.mail.qq.com exmail.qq.com → QQ Mail
  mail.163.com mail.126.com twebmail.mail.163.com → NetEase Mail
  mail.naver.com m.mail.naver.com → Naver Mail
  mail.daum.net → Daum Mail
  mail.rediff.com → Rediffmail
  email.seznam.cz → Seznam Email
  mail.libero.it → Libero Mail
  poczta.onet.pl → Onet Poczta
  app.fastmail.com → Fastmail
  app.hey.com → HEY
  app.tuta.com → Tuta
  https://urldefense.com/v3/__https://hop.example/a__;!!x urldefense.proofpoint.com → Proofpoint
  linkprotect.cudasvc.com → Barracuda
  protect-us.mimecast.com url.us.m.mimecastprotect.com → Mimecast
  secure-web.cisco.com → Cisco Secure Email
  us-west-2.protection.sophos.com → Sophos
  url.avanan.click → Avanan
  example.us1.list-manage.com → Mailchimp
  u123.ct.sendgrid.net → SendGrid
  webmail.bigpond.com → Bigpond
  outlook.office.com.mcas.ms outlook.office365.com.mcas.ms → Outlook
  imsva91-ctp.trendmicro.com ddec1-0-en-ctp.trendmicro.com → Trend Micro
  protect.checkpoint.com → Check Point
  click.pstmrk.it → Postmark
  x.r.sp1-brevo.net → Brevo
  click.mailchimp.com → Mailchimp
  t.sidekickopen.com → HubSpot
  zc1.maillist-manage.com → Zoho Campaigns
  newsletter.example.org → newsletter.example.org
  t.e2ma.net → Emma
  webmail.example.org → webmail.example.org
  webmail2.example.org → webmail2.example.org
  mail.example.org → mail.example.org`,
)

const messaging = rows(
  'messaging',
  `
  web.whatsapp.com api.whatsapp.com wa.me https://l.wl.co/l?u=x android-app://com.whatsapp/ ios-app://310633997/ android-app://com.whatsapp.w4b → WhatsApp
  web.telegram.org t.me k.web.telegram.org android-app://org.telegram.messenger → Telegram
  meet.google.com android-app://com.google.android.apps.tachyon → Google Meet
  chat.zulip.org → Zulip
  signal.org android-app://org.thoughtcrime.securesms/ → Signal
  www.messenger.com l.messenger.com m.me android-app://com.facebook.orca/ → Messenger
  https://www.facebook.com/messages/t/1 → Messenger
  discord.com ptb.discord.com discordapp.com android-app://com.discord → Discord
  app.slack.com slack-redir.net https://slack-redir.net/link?url=x android-app://com.Slack example.slack.com → Slack
  teams.microsoft.com teams.live.com statics.teams.cdn.office.net teams.cloud.microsoft → Teams
  web.skype.com → Skype
  line.me liff.line.me android-app://jp.naver.line.android → LINE
  invite.viber.com → Viber
  pf.kakao.com android-app://com.kakao.talk → KakaoTalk
  wx.qq.com mp.weixin.qq.com weixin110.qq.com servicewechat.com android-app://com.tencent.mm → WeChat
  https://c.pc.qq.com/middlem.html?pfurl=x → QQ
  chat.zalo.me → Zalo
  chat.google.com https://mail.google.com/chat/u/0/ https://www.google.com/url?q=x&source=hangouts → Google Chat
  android-app://com.google.android.apps.messaging → Google Messages
  app.element.io → Element
  web.max.ru → MAX
  app.zoom.us → Zoom`,
)

const assistants = rows(
  'ai assistant',
  `
  chatgpt.com chat.openai.com www.chatgpt.com https://chatgpt.com/c/1 android-app://com.openai.chatgpt → ChatGPT
  claude.ai claude.com android-app://com.anthropic.claude → Claude
  gemini.google.com bard.google.com android-app://com.google.android.apps.bard → Gemini
  notebooklm.google.com → NotebookLM
  copilot.microsoft.com m365.cloud.microsoft copilot.cloud.microsoft https://www.bing.com/chat?q=x edgeservices.bing.com → Copilot
  www.perplexity.ai perplexity.ai android-app://ai.perplexity.app.android → Perplexity
  you.com → You.com
  poe.com → Poe
  chat.deepseek.com www.deepseek.com → DeepSeek
  grok.com https://x.com/i/grok → Grok
  chat.mistral.ai → Mistral
  www.meta.ai meta.ai → Meta AI
  kimi.moonshot.cn www.kimi.com → Kimi
  www.doubao.com → Doubao
  chat.qwen.ai tongyi.aliyun.com → Qwen
  yiyan.baidu.com chat.baidu.com → ERNIE
  yuanbao.tencent.com → Yuanbao
  chatglm.cn chat.z.ai → Z.ai
  duck.ai → Duck.ai
  alice.yandex.ru → Alice
  https://github.com/copilot/c/1 → GitHub Copilot
  https://huggingface.co/chat/conversation/1 → HuggingChat
  https://kagi.com/assistant → Kagi Assistant
  www.phind.com → Phind
  character.ai → Character.AI
  lmarena.ai → LMArena`,
)

const video = rows(
  'video',
  `
  www.youtube.com m.youtube.com youtu.be studio.youtube.com music.youtube.com android-app://com.google.android.youtube ios-app://544007664/ → YouTube
  vimeo.com player.vimeo.com → Vimeo
  www.twitch.tv m.twitch.tv → Twitch
  www.bilibili.com m.bilibili.com b23.tv space.bilibili.com → Bilibili
  www.dailymotion.com dai.ly → Dailymotion
  www.nicovideo.jp → Niconico
  rumble.com → Rumble
  rutube.ru → Rutube
  vkvideo.ru https://vk.com/video/1 → VK Video
  v.qq.com → Tencent Video
  www.youku.com → Youku
  kick.com → Kick
  peertube.example → peertube.example
  odysee.com → Odysee`,
)

const ads = rows(
  'ads',
  `
  googleads.g.doubleclick.net ad.doubleclick.net tpc.googlesyndication.com www.googleadservices.com https://www.google.de/aclk?x → Google Ads
  bat.bing.com ib.adnxs.com https://www.bing.com/aclick?ld=x → Microsoft Advertising
  an.yandex.ru yabs.yandex.ru yabs.yandex.com → Yandex Direct
  trc.taboola.com → Taboola
  paid.outbrain.com → Outbrain
  cas.criteo.com → Criteo
  www.awin1.com → Awin
  farm.plista.com → Plista`,
)

const other = rows(
  'other',
  `
  news.google.com news.google.de android-app://com.google.android.apps.magazines → Google News
  maps.google.com https://www.google.com/maps/place/x → Google Maps
  docs.google.com https://www.google.com/url?q=x&source=editors → Google Docs
  drive.google.com → Google Drive
  research.google.com → research.google.com
  news.yahoo.co.jp news.yahoo.com → Yahoo News
  zhidao.baidu.com → Baidu Zhidao
  www.amazon.com www.amazon.co.uk www.amazon.de → Amazon
  en.wikipedia.org de.m.wikipedia.org → Wikipedia
  community.openai.com → OpenAI
  https://www-example-com.cdn.ampproject.org/c/s/www.example.com/a www-example-com.translate.goog → example.com
  https://www.google.com/amp/s/www.example.com/a https://translate.google.com/translate?u=https://example.com/a → example.com
  my--shop-example.translate.goog → my-shop.example
  https://anonym.to/?https://hop.example → anonym.to
  blog.example.org www.blog.example.org https://user:secret@blog.example.org:8443/a HTTPS://BLOG.EXAMPLE.ORG. → blog.example.org
  android-app://com.Example.App/x → com.example.app
  ios-app://1234567890/ → id1234567890
  http://localhost:3000/ → localhost
  http://192.168.1.1:8080/ → 192.168.1.1
  http://[2001:db8::1]:8080/ → [2001:db8::1]
  bücher.example xn--bcher-kva.example → xn--bcher-kva.example
  google.blogspot.com → google.blogspot.com
  google.example → google.example
  t.community → t.community
  nott.co → nott.co
  facebook.com.example.org → facebook.com.example.org`,
)

const direct = [
  '',
  '-',
  'null',
  'not a url',
  'google.com',
  'about:blank',
  'about:client',
  'file:///home/a.html',
]
  .concat([
    'data:text/html,a',
    'blob:https://example.com/1',
    'javascript:alert(1)',
    'chrome-extension://abc/',
  ])
  .concat([
    'android-app:',
    'android-app://',
    'android-app://%3Cscript%3E/',
    'ios-app:///a',
    'https://',
    'http://a b/',
  ])
  .concat([
    'https://a..b/',
    `https://${'a'.repeat(64)}.${'b.'.repeat(100)}example/`,
    'https://exa%22mple.com/',
  ])

const cases = [...search, ...social, ...mail, ...messaging, ...assistants, ...video, ...ads, ...other]

test.for(cases)('$referrer is $source ($channel)', ({ referrer, source, channel }) => {
  expect(describeReferrer(referrer)).toEqual({ source, channel })
})

test.for(direct)('%j names no source: direct', referrer => {
  expect(describeReferrer(referrer)).toEqual({ source: '', channel: 'direct' })
  expect(describeReferrer(undefined)).toEqual({ source: '', channel: 'direct' })
})
