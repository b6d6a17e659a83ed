/**
 * What models and builds of Android devices say about their kind. There are tens of thousands of models and no free list
 * of them (Google Play's may not be passed on), so these are the makers' naming schemes: a television's name holds the
 * size of its screen, Samsung's tablets are SM-T, Huawei's end in -W09.
 */
import type { Device } from './device-names.ts'

/** The first that matches decides. */
const schemes: readonly [device: Device, pattern: RegExp][] = [
  ['mobile', /\bsm-[acefgjmns]\d|\bhtv\d|\bletv x\d|\bstv100|coolpad/],
  ['watch', /\bwatch\b/],
  ['console', /\brg ?(?:\d{2,3}|cube|arc)|retroid|ayaneo|\bgpd[ _]|gamepad/],
  [
    'desktop',
    /chromebook|notebook|laptop|elitebook|probook|thinkpad|ideapad|vivobook|zenbook|latitude|inspiron|travelmate|aspire|\bswift sf|remix mini/,
  ],
  ['tablet', /\btab(?:let)?\b|tab[_-]|\bpad\b|\bbntv|wi-?fi/],
  // Samsung; Lenovo; Amazon
  ['tablet', /\bsm-[txp]\d|\bgt-p\d{4}|\bgt-n(?:80|51)\d\d|\bsch-i[789]05\b|\bsc-01c\b/],
  ['tablet', /\btb-?\d|\btb-[a-z]|\byt\d?-|\byoga|\blenovo ?[abs]\d{4}l?-[fghl]/],
  ['tablet', /; kf[a-z]{2,6}\b/],
  // Huawei and Honor: Wi-Fi models end in -W09, others are told from phones by the name of the family
  [
    'tablet',
    /-w(?:0|1|2|3|5|6)\d\b|\b(?:ag[rs]|bah|bg2|bgo|btk|btv|cmr|cpn|dby|fdr|got|jdn|kob|mr[rx]|scm|sht|wgr)\d?k?-|\bgem-70|\b(?:s7|s10|t[123]|x[12])[- ]\d{3}[a-z]{0,2}\b/,
  ],
  // Teclast adds a code of the board: `X98 Air III(M5C5)`
  ['tablet', /\([a-z]\d[a-z]\d\b|\bb[13]-[a78]|\ba1-8/],
  // Boards of head units
  ['car', /\b8227l|quad-?core|\buis\d{4}|sp9853i|\byt\d{4}|\bks\d{3,4}x\d{3}|\bmpc-\d\d\b|\bhead ?unit/],
  // A television's name has its size in inches: in front, or behind the maker's letters (`TF-LED50S04`, `H32F8000`)
  ['tv', sized(/; ?/, /[a-z]/)],
  ['tv', sized(/(?:^|[^a-z0-9])(?:[a-z]{1,6}[-_]?)?/, /(?:[a-z]{1,6}-?\d{3,5}|[a-z]{2,}\d)/)],
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
    /\b(?:iconbit|rombica|ozonehd|selenga|eltex|nv-?50\d|vermax|imaqliq|smartlabs|sml-|movix|zala|yndx-|sberbox|sbdv|sei\d{3}|dv\d{4}|uiw\d{4}|uzx\d{4}|dctiw|technicolor|droidlogic|shield android|chromecast|nexus player|adt-\d|rk3\d{3}|amlogic|gxbaby|xgimi|fengmi|formovie|jmgo|xming|wanbo)/,
  ],
  // Boxes of operators, more boxes and projectors, and the boards that they name instead of themselves
  [
    'tv',
    /\b(?:b(?:760|86[06])(?!\d)|zxv10|ec6108|hg680|fiberhome|jhs[bd]\d{3}|hmb\d{4}|bouygtel|freebox|vip\d{4}\b|mdz-\d\d|kaon|arris|humax|sagemcom|geniatech|skystream|superbox|mag ?\d{3}\b|dreambox|dune ?hd|zgemma|gigablue|octagon|qviart|srt ?\d{3}|strong srt)/,
  ],
  [
    'tv',
    /\b(?:magicsee|vorke|vensmile|wechip|turewell|dolamee|g-?box|matricom|pivos|rikomagic|rkm|ug802|measy|tronfy|jynxbox|alfawise a|acemax|ematic|sumvision|magcubic|vankyo|thundeal|tpm\d{3}e\b|[248]t-[a-z]\d\d|ai pont|diw\d{4}|sky q\b|jbl bar|dangbei|cinebeam|benq|epson)/,
  ],
  [
    'tv',
    /\b(?:p2(?:0[01]|12|81)\b|q20[01]\b|u21[12]\b|mt[59]\d{3}\b|msd\d{4}|hi37\d\d|bcm7\d{3}|sti6\d{3}|mstar|hisilicon)/,
  ],
  ['tablet', /tab|pad|slate|\bnexus (?:7|9|10)\b|\bpixel c\b/],
  ['mobile', /-(?:an|[atlc]l|[atlc]n|lx)\d{1,2}\w?\b/],
  // LG, Asus, Acer, Sony, Dell
  [
    'tablet',
    /\blg-[vu][k\d]\d{2}|\bv\d{3} build|\bk0\d\d\b|\bp0[01]\w\b|\bme\d{3}|\ba(?:3-a|200|500|510|700)\b|\bsg[pt]\d{3}|\bvenue [78]/,
  ],
  // Alcatel, Xiaomi, Nokia, OPPO and OnePlus, realme, vivo
  [
    'tablet',
    /\b(?:80[6-9]\d|90[0-3]\d|9203)[a-z]|\b2\d{3,4}b?rp|\bnokia t\d\d|\bopd\d{4}|\brmp\d{4}|\bpa2\d{3}\b|\btcl 9\d{3}[a-z]|\bdoogee [tur]\d\d/,
  ],
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

/** Schemes that phones share: they tell a television only where the browser says that the screen is large. */
const largeScreens = [
  sized(/[; _-][a-z]{0,6}/, /[a-z]+-?[a-z]{0,3}\d{1,5}/),
  sized(/[a-z]{2}[-_]/, /[a-z]/),
  /[48]k(?![a-z0-9])|uhd|hdr\d?(?![a-z])|media\b|mbox|cast\b|dongle|stick\b|cinema/,
  /hisense|konka|changhong|skyworth|toshiba|sharp|panasonic|philips|telefunken|grundig|blaupunkt|hitachi|daewoo|jvc|loewe|thomson|iffalcon|kogan|onida|caixun|kivi|harper|polarline|erisson|asano|hartens|doffler|topdevice|dexp al|hiper|projector|optoma/,
  /\b(?:m8s|m9[sc]|z28|z69|hy3\d\d|nebula|s(?:80[25]|812|905|912|922|928)[a-z]?\d?)\b/,
]

function sized(before: RegExp, after: RegExp): RegExp {
  const inches = '(?:19|2[248]|3[29]|4[02389]|5[058]|6[05]|7[057]|8[56]|98)'
  return new RegExp(`${before.source}${inches}${after.source}`)
}

export function deviceOfModel(model: string, saysMobile: boolean): Device | undefined {
  const ofScheme = schemes.find(([, pattern]) => pattern.test(model))?.[0]
  return ofScheme ?? (!saysMobile && largeScreens.some(pattern => pattern.test(model)) ? 'tv' : undefined)
}

/**
 * Builds of televisions. The second letter names the branch (source.android.com, "Build number definitions"), T for
 * televisions in the releases from P on; the two that are written out are widespread on televisions that say "Mobile".
 */
const televisionBuild =
  /[ /](?:p(?:tt|to|tm)\d|q(?:tg|tt|ts)\d|r(?:tt|tm|tk)\d|st(?:t|tb|tc)\.|stt[a-c]?\.|utt|ppr2\.180905|m5c14j)/

/** Phones have these, too: makers of television chips start from the source of a Nexus or a Pixel. */
const largeScreenBuild =
  /[ /](?:mhc19j|nmf26q|nzh54d|nhg47[kl]|opr5\.170623\.014|qp1a\.191105\.004|rp1a\.200720\.011|rd2a\.211001|tp1a\.220905\.004)/

export function deviceOfBuild(text: string, saysMobile: boolean): Device | undefined {
  if (televisionBuild.test(text) || (!saysMobile && largeScreenBuild.test(text))) return 'tv'
  return undefined
}
