/**
 * What models and builds of Android devices say about their kind. There are tens of thousands of models and no free list
 * of them (Google Play's may not be passed on), so these are the makers' naming schemes: a television's name holds the
 * size of its screen, Samsung's tablets are SM-T, Huawei's end in -W09.
 */
import type { Device } from './device-names.ts'

/** The first that matches decides. */
const schemes: readonly [device: Device, pattern: RegExp][] = [
  ['mobile', /\bsm-[acefgjmns]\d|\bhtv\d|\bletv x\d|\bstv100|coolpad/],
  [
    'desktop',
    /chromebook|elitebook|probook|thinkpad|ideapad|latitude|inspiron|travelmate|aspire|\bswift sf|remix mini/,
  ],
  ['tablet', /\btab(?:let)?\b|tab[_-]|\bpad\b|\bbntv/],
  // Boards of head units
  ['car', /\b8227l|quad-?core|\buis\d{4}|sp9853i|\byt\d{4}|\bks\d{3,4}x\d{3}|\bmpc-\d\d\b|\bhead ?unit/],
  // A television's name begins with its size in inches, behind the maker's letters: `43LEX-8249`, `TF-LED50S04`
  [
    'tv',
    /(?:^|[^a-z0-9])(?:[a-z]{1,6}[-_]?)?(?:19|2[248]|3[29]|4[02389]|5[058]|6[05]|7[057]|8[56]|98)(?:[a-z]{1,6}-?\d{1,5}|[a-z]{2,}\d)/,
  ],
  ['tv', /q?led[-_]?\d\d|\d(?:fhd|uhd)|\d[a-z]?(?:fhd|uhd)/],
  [
    'tv',
    /\b(?:shell|atv\d*|smartatv|realtekatv|stb|ott|iptv|dvb|hdtv)\b|[_-]dvb|(?:^|[^a-z])tv(?:[^a-z]|$)|[a-z0-9]tv\b|[a-z]tv\d/,
  ],
  ['tv', /\btv ?box|smart ?box|set ?top|box\b|box[-_ ]\d|\baft[a-z]{1,6}\d*\b|mediabox|speedbox/],
  // Boxes, sticks and projectors
  [
    'tv',
    /\b(?:beelink|gt-?king|mygica|zidoo|ugoos|evpad|mecool|km\d(?:pro)?\b|kiii|tanix|tx[2369]s?\b|vontar|vinabox|minix|neo-x\d|pendoo|x92|x96|x98|h96(?!\d)|q96|hk1|t95|a95x|x88|mx(?:q|iii|10)|mk80\d|nexbox|r69|r-tv|transpeed|bqeel|sunvell|scishion|leelbox|wetek|himedia|egreat|tronsmart|probox|zappiti|homatics|dynalink|formuler|buzztv|dreamlink|tvip|infomir|aurahd|openbox|amiko|edision)/,
  ],
  [
    'tv',
    /\b(?:iconbit|rombica|ozonehd|selenga|eltex|nv-?50\d|vermax|imaqliq|smartlabs|sml-|movix|zala|yndx-|sberbox|sbdv|sei\d{3}|b86[06]|dv\d{4}|uiw\d{4}|uzx\d{4}|dctiw|technicolor|droidlogic|shield android|chromecast|nexus player|adt-\d|rk3\d{3}|amlogic|gxbaby|xgimi|fengmi|formovie|jmgo|xming|wanbo)/,
  ],
  ['tablet', /tab|pad|slate|\bnexus (?:7|9|10)\b|\bpixel c\b/],
  // Samsung
  ['tablet', /\bsm-[txp]\d|\bgt-p\d{4}|\bgt-n(?:80|51)\d\d|\bsch-i[789]05\b|\bsc-01c\b/],
  // Huawei, Honor
  [
    'tablet',
    /-w(?:0|1|2|3|5|6)\d\b|\bbg2-|\bbgo-l|\bgem-70|\bbah\d?-l|\bagr-l|\b(?:s7|s10|t[123]|x[12])[- ]\d{3}[a-z]{0,2}\b/,
  ],
  ['mobile', /-(?:an|[atlc]l|[atlc]n|lx)\d{1,2}\w?\b/],
  // Lenovo
  ['tablet', /\btb-?\d|\btb-[a-z]|\byt\d?-|\byoga/],
  // Amazon
  ['tablet', /; kf[a-z]{2,6}\b/],
  // LG, Asus, Acer, Sony, Dell
  [
    'tablet',
    /\blg-[vu][k\d]\d{2}|\bv\d{3} build|\bk0\d\d\b|\bp0[01]\w\b|\bme\d{3}|\ba(?:1-8|3-a|200|500|510|700)\b|\bb[13]-[a78]|\bsg[pt]\d{3}|\bvenue [78]/,
  ],
  // Alcatel, Xiaomi, OPPO and OnePlus
  ['tablet', /\b(?:80[6-9]\d|90[0-3]\d|9203)[a-z]|\bopd\d{4}|\b2\d{3,4}rp/],
  // Others with a scheme of their own
  [
    'tablet',
    /\bpmt\d|\bpmp\d|\bbq-(?:7|8|9|10)\d|\bnomi_c(?:07|08|10)|\bmid\d|\biplay|\bteclast|\btz\d{3}|\breadboy|\bmfc\d|\bov-|\b(?:ts|ps)\d{4}[mp]|\btm-[79]\d{3}|\beda7\d|\btecno p70|\bplane|\boptima \d|\blavie|\bwindroid|\bchuwi|\bonda\b|\bnabi/,
  ],
  // Models for the European Economic Area that are no phone's
  ['tablet', /\b[a-z]?\d\d?[a-z]?[_-]eea\b/],
  // The size of the screen in inches
  ['tablet', /\b(?:7|8|9|10)(?:\.\d)? ?(?:inch|lte|3g|4g|hd)|\bmini ?7/],
]

/** Makers of televisions some of which make phones too: told apart by what the browser says about the screen. */
const televisionMakers =
  /hisense|konka|changhong|skyworth|toshiba|sharp|panasonic|philips|telefunken|grundig|blaupunkt|hitachi|daewoo|jvc|loewe|thomson|iffalcon|kogan|onida|caixun|kivi|harper|polarline|erisson|asano|hartens|doffler|topdevice|dexp al|hiper|projector|optoma|\b[48]k\b/

export function deviceOfModel(model: string, saysMobile: boolean): Device | undefined {
  if (!saysMobile && televisionMakers.test(model)) return 'tv'
  return schemes.find(([, pattern]) => pattern.test(model))?.[0]
}

/**
 * Builds of televisions. The second letter names the branch (source.android.com, "Build number definitions"), T for
 * televisions in the releases from P on; the dated ones are reference builds of makers of television chips.
 */
const televisionBuild =
  /[ /](?:p(?:tt|to)\d|q(?:tg|tt|ts)\d|r(?:tt|tm|tk)\d|st(?:t|tb|tc)\.|stt[a-c]?\.|utt|ppr2\.180905|opr5\.170623\.014|rd2a\.211001|m5c14j)/

export function deviceOfBuild(text: string): Device | undefined {
  return televisionBuild.test(text) ? 'tv' : undefined
}
