import { deviceOfBuild, deviceOfModel } from './android-models.ts'
import type { Device } from './device-names.ts'
import type { NamedWords } from './named-words.ts'
import { wordFinder } from './named-words.ts'

/** Words of a kind of device, in the order in which they decide. */
const certainWords: readonly NamedWords<Device>[] = [
  [
    'watch',
    'watchos',
    'watch os',
    'apple watch',
    ' watch1,',
    ' watch2,',
    ' watch3,',
    ' watch4,',
    ' watch5,',
    ' watch6,',
    ' watch7,',
    'sm-r',
    'wear os',
    'ticwatch',
    'smartwatch',
    'zenwatch',
    'g watch',
    ' wib/',
    'mobile vr',
  ],
  [
    'console',
    '(playstation',
    'playstation 3',
    'playstation 4',
    'playstation 5',
    'playstation portable',
    'playstation vita',
    'ps4application',
    ';ps5;',
    ';ps4;',
    '_game_',
    'nintendo',
    ' xbox',
    ';xbox',
    '(xbox',
    'ouya',
    'steam deck',
    'razer edge',
  ],
  [
    'speaker',
    'smartspeaker',
    'amazon;echo',
    ' echo/',
    ' sonos/',
    ' aeo',
    'alexamediaplayer',
    'airpodcasts',
    'homepod',
  ],
  [
    'tv',
    // Platforms and standards
    'hbbtv',
    'ce-html',
    'smarttv',
    'smart-tv',
    'smart tv',
    'googletv',
    'google tv',
    'android tv',
    'androidtv',
    'appletv',
    'apple tv',
    'tvos',
    'web0s',
    'webos.tv',
    'netcast',
    'vidaa',
    'roku',
    'tizen; tv',
    'viera',
    'bravia',
    'aquos-',
    'aquosbrowser',
    'nettv',
    'webtv',
    'kreatv',
    '(tv;',
    '_tv_',
    'dtv',
    'vizio',
    'zeasn',
    'opera tv',
    ' omi/',
    // The YouTube app
    'cobalt/',
    // WebKit for embedded devices
    ' wpe',
    'wpewebkit',
    'ekioh',
    'antgalio',
    'netrange',
    'smarthub',
    // Yandex Browser for televisions
    '(lite) safari',
    'model/vestel',
    'vstvb',
    ' odin/',
    ' tbrowser',
    'espial',
    'maple',
    'infinet',
    'sraf',
    ' tivo',
    'kepler/',
    'nativeclientplatform',
    // Boxes, sticks, projectors
    'crkey',
    'stbapp',
    'dunehd',
    'brightsign',
    'iptv',
    'tvbox',
    'tv box',
    'tv_box',
    'tv-box',
    'tv bro/',
    'tivimate',
    'mibox',
    'mitv',
    'settop',
    'set-top',
    'blu-ray',
    'bdplayer',
    'gftv',
    'streamer',
    'redlineclient',
    'linux mips',
    'linux sh4',
    'large screen',
    ' tv safari',
    '(lite) tv',
  ],
  ['car', 'tesla/', 'qtcarbrowser', 'automotive', 'carpad', 'carplay', 'carbrowser', 'polestar', 'volvo'],
]

/** Words that count only where the model of an Android device does not say more. */
const furtherWords: readonly NamedWords<Device>[] = [
  [
    'tablet',
    'ipad',
    'tablet',
    'playbook',
    'touchpad',
    'xoom',
    'kindle',
    ' silk/',
    'silk-accelerated',
    'pocketbook',
    'kobo ',
    'ebrd',
    'nook',
    'tolino',
  ],
  [
    'mobile',
    'iphone',
    'dv(iph',
    'ipod',
    'windows phone',
    'iemobile',
    'wpdesktop',
    'lumia',
    'opera mini',
    'opera mobi',
    'midp',
    'symb',
    'series60',
    'blackberry',
    '(bb10',
    'kaios',
    'palm',
    'blazer/',
    'up.browser',
    ' up/',
    'bada',
    'maemo',
    'meego',
    'sailfish',
    'webos/',
    'brew/',
    'brew ',
    'maui',
    'dorado',
    'windows ce',
    'ucweb',
    'cldc-',
    'phone',
    'nokia',
    'shp/vpp',
  ],
]

const findCertain = wordFinder(certainWords)
const findFurther = wordFinder(furtherWords)

/** The kind of device, by its words, its model, and what the browser says about the size of its screen. */
export function findDevice(text: string, os: string | undefined): Device | undefined {
  const certain = findCertain(text)
  if (certain !== undefined) return certain
  if (os !== undefined && androidSystems.has(os)) return findAndroidDevice(text)
  const further = findFurther(text)
  if (further !== undefined) return further
  if (os === 'iOS' || (text.includes('mobile') && os !== 'Windows' && os !== 'macOS')) return 'mobile'
  return os !== undefined && desktopSystems.has(os) ? 'desktop' : undefined
}

const androidSystems = new Set(['Android', 'Fire OS', 'HarmonyOS'])

const desktopSystems = new Set([
  'Windows',
  'macOS',
  'Linux',
  'Chrome OS',
  'FreeBSD',
  'OpenBSD',
  'NetBSD',
  'Solaris',
  'Haiku',
  'AmigaOS',
])

/**
 * Chrome and WebKit on Android say "Mobile" on phones and leave it out on tablets (Google's "User-Agent strings in
 * Chrome"); many tablets say it nevertheless, and are told by their model.
 */
function findAndroidDevice(text: string): Device {
  if (text.includes('(pc; openharmony')) return 'desktop'
  const saysMobile = text.includes('mobile')
  const ofModel = deviceOfModel(modelOf(text), saysMobile) ?? deviceOfBuild(text, saysMobile)
  if (ofModel !== undefined) return ofModel
  if (findFurther(text) === 'tablet' || text.includes('/apad')) return 'tablet'
  return !saysMobile && text.includes(' safari/') ? 'tablet' : 'mobile'
}

/** Of `… Android 9; SM-T510 Build/…) AppleWebKit/…`: `; sm-t510`. Bounded, so that patterns on it are cheap. */
function modelOf(text: string): string {
  const from = Math.max(text.indexOf('andr'), 0)
  let end = text.length
  for (const mark of [' applewebkit', ') ', ' build', '; wv']) {
    const at = text.indexOf(mark, from)
    if (at >= 0 && at < end) end = at
  }
  return text.slice(from, Math.min(end, from + 80))
}
