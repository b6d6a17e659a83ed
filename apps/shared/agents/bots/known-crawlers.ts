import type { NamedWords } from '../named-words.ts'

/**
 * Crawlers whose name is the word that they send, from crawler-user-agents (MIT), in the groups of its tags: advertising
 * is with SEO; research, webhooks and tools for a single site are `other`. A name that ends in `/` is always followed
 * by a version, and would be too common a word without it. Names that are everyday words are left out.
 */
const namesByGroup = {
  search: `
    7Siters, A6-Indexer, Aboundex, AddSearchBot, aiHitBot, AlexandriaOrgBot, AmazonProductDiscovery,
    AmazonSellerInitiatedListing, BIGLOTRON, blekkobot, Bot.AraTurka.com, br-crawler, Cliqzbot, Coveobot,
    CyberFindCrawler, DeuSu/, discobot, FAST Enterprise Crawler, FAST-WebCrawler, FediIndex, FemtosearchBot,
    FindFiles.net, findxbot, fiperbot, Flamingo_SearchEngine, FleebsBot, fr-crawler, Freespoke, Funnelback,
    FyndSearchEngine-Crawler, FyndSearchEngine-ReCrawler, Gabanzabot, Gigablast, Gigabot, GlobalWebSearch,
    Gluten Free Crawler, Golfe/, Greppr Web Crawler, grub.org, IbouBot, ichiro, INETDEX-BOT, intelx.io_bot,
    jobswithgptcom-bot, KendraBot, Level9SearchBot, Linguee Bot, lyonl-asset-proxy, lyonl-crawler, MagiBot,
    MatchorySearch, NapBot, NestDaddybot, Nicecrawler, NTENTbot, officestorebot, OpenHoseBot, OpenTheBoxBot,
    PhxBot, PlayStore-Google, psbot, SafeSearch microdata crawler, Scrubby, Searcherweb, Searcherxweb,
    SearchExpress, Seekbot, SiteSearch360, SMTnetPMBot, Sosospider, StractBot, Swiftbot, TheInternetSearchx,
    top100.rambler.ru crawler, voilabot, VsuSearchSpider, WadooBot, WepchSearchEngine, WeSEE:Search, WikiDo,
    WordupInfoSearch, woriobot, wotbox, yacybot, yanga, YoudaoBot, Zealbot, ZumBot, ZyBorg
  `,
  'ai crawler': `
    Anomura, bigsur.ai, Channel3Bot, ExteContextCrawl, Flyriverbot, HenkBot, ImageMind, KunatoCrawler, LinerBot,
    newsai, Novellum, Poggio-Citations, ShapBot, Spawning-AI, TaraGroup Intelligent Bot, TerraCotta,
    The Knowledge AI, TSM-turingos, ZanistaBot
  `,
  seo: `
    A360-Search, adbeat.com, adbeat_bot, AdkernelTopicCrawler, AdsBot-IAB, Amazing-SearchBot, AmazonAdBot,
    AudigentAdBot, BaiduAdsBot, bidswitchbot, channable, Clickagy, ContextAd Bot, ContextualBot, cXensebot,
    CybaaBot, DVbot, EcoVadisSustainabilityBot, Eyeotabot, EzLynx, EzoicBot, facebookcatalog, GroovinaAdsbot,
    Impact.com Agent, KargoBot-Artemis, MediavineMetadataParser, meta-externalads, MgidBot, moatbot,
    NanoInteractive, NetSeer crawler, NetShelter ContentScan, NewsRoom.BI, NostoCrawlerBot, OutclicksBot,
    peer39_crawler, Pixalate.com, productsup.io/crawler, Pulsepoint, Quantcastbot, Qwarrybot, Scope3,
    SirdataBot, SmartologyBot, SnapchatAds, SpringserveBot, tracking-quality-spider, TTD-Content, uipbot, um-FC,
    um-IC, VoluumDSP-content-bot, webgains-bot, weborama-fetcher, webspidermount, wknd-bot
  `,
  monitoring: `
    Accessible Web Bot, AccessStatus, AlertSite, BinaryCanary, Bugsnag, CapsuleChecker, CheckHost, Crazy Egg,
    Critical CSS Bot, Cronless, deepnoc, Dotcom-Monitor, EdgeWatch, Experibot, FastDAST, GotSiteMonitor.com,
    HeadOnlyScraper, HoneybadgerBot, HostTracker, Hydrozen.io, internetVista monitor, IsDownBot, keycdn-tools,
    LogicMonitor, MonSpark, MxToolbox, Netumo, NETVIGIE, NIXStatsbot, Noibu, OnlineOrNot.com_bot, Panopta,
    PingAdmin.Ru, pulsetic.com, Rigor, SequelWP, ServerDensity, SiteLock, SleepBot, solarwinds, sv-watchagent,
    Uptimia, WatchForBot, Watchful, WatchMouse, WebsiteOps, websitepulse, wheresitup.com, WormlyBot,
    WPMU DEV Hub, WPUmbrella
  `,
  security: `
    abuse.xmco.fr, AkismetBot, AliyunSecBot, ArtemisBot, asnriskscorer, Bad Neighborhood Header Detector,
    binlar, bitdiscovery, BlackDuck-FD, BrowserBot-Observer, CERT PL, CertChief, cookie-maestro, CookieYesbot,
    csirt.cz, CyberPatrol, DigiCert DCV, Dratabot, ec2linkfinder, filterdb.iss.net/crawler, Foregenix,
    hstspreload-bot, HTTP Banner Detection, ISSCyberRiskCrawler, iubenda-radar, Jugendschutzprogramm-Crawler,
    K7MLWCBot, Keydrop.io, KrawlerBot, LegalMonster, Let's Encrypt, LightspeedSystemsCrawler, ltx71, MRGbot,
    NetSystemsResearch, NINJA bot, NsToolsBot, ProbelySPDR, ProjectShield-UrlCheck, ReverseEngineeringBot,
    Riddler, SafeDNSBot, Sansec Security Monitor, SBL-BOT, Software-Security-Research, Test Certificate Info,
    TLS tester, Unshorten.It!, UrlBeeBot, VaultPress, Verispider, visionheight.com/scan, watchTowr, WhatWeb,
    WPSec/, WTotem
  `,
  'feed reader': `
    AllAfrica, artemis web reader, Bloglines, dlvr.it, fedoraplanet, g2reader-bot, Innologica, Protopage,
    upday/
  `,
  archive: `
    Authory, CC Metadata Scaper, kaikki.org-digital-archive, LinkAce, LinkArchiver, Miniature.io, mirrorweb.com,
    MirrorWebCrawler, SmarshBot, XY-Archive-Compliance
  `,
  other: `
    007ac9 Crawler, 2ip bot, 2ip.ru, A Patent Crawler, ABEvalBot, AcademicBotRTU, ActiveComply, AdagioBot,
    AdminLabs, advanced_crawler, AGAKIDSBOT, AgencyAnalyticsBot, alexa site audit, alienfarm, allOrigins,
    Amazon CloudFront, AndersPinkBot, Apercite, AppSiteAssociation, Aragog, Aranea, Attracta, AtVowBot,
    Audisto Crawler, AudistoBot, Autoconfig Test from USTC, awesomecrawler, B2B Bot, BDBot/, BDCbot, BDFetch,
    BehloolBot, BestChange, BigUpDataBot, BitBot, Bitbucket-Webhooks, Blackboard, Bling ERP, BlingERP, Blockaid,
    blogmuraBot, BlogVault, BLP_bbot, BoardGamePricesBot, BomboraBot, bot-pge.chlooe.com, BotPoke, BoxcarBot,
    BrandONbot, BrandVerity, BTWebClient, BUbiNG, BublupBot, BuddyBot, Bushbaby, buzzbot, CaliberBot,
    Caliperbot, CapitalOneBot, CapitalOneShopping, CapterraBot, carbon-umbrella-bot, caveman-hunter, CDSCbot,
    CentComBot, centuryb.o.t9, centurybot, certytags, ChargeBeeBot, CheckMarkNetwork, Cincraw, CirrusExplorer,
    CISPA Webcrawler, Citoid, CLASSLA-web, Clearscopebot, Cloudtrellis, CMSChecker, Cocolyzebot, Collapsify,
    Companybook-Crawler, contentkingapp, contxbot, Convermax, Corporama matcher, crawler_eb_germany, Crawlson,
    CrawlyProjectCrawler, Criticalcss.com, CrunchBot, crusty, Curebot, Cutbot, CXK_Bot, Dark Visitor,
    DaspeedBot, datagnionbot, Datanyze, dcrawl, Deskyobot, DF Bot, Digg Deeper, Digincore bot, Disqus, Dmbot,
    DMBrowser, DnBCrawler, DnyzBot, Domain Re-Animator Bot, domaincrawler, Domains Project, DomainStatsBot,
    DomCopBot, DominicBot, Dow Jones Searchbot, Download Ninja, Dragonbot, DrataAutopilot, DreamHost Data Team,
    drupact, Drupalbot, Dubbotbot, e.ventures Investment Crawler, EasyBib AutoCite, easybill-ImportManager,
    EchoboxBot, edansbot, electricmonk, eMoney Advisor, eMoneyBot, EpivozCrawler, eRepublik.tools, eright,
    ev-crawler, evc-batch, ExodusMovement, ExtLinksBot, Ezgif, factset_spyderbot, FDL Stats Bot, Fedicabot,
    FediDB, FediList Agent, Fedineko, fedistatsCrawler, FedReporter Bot for FFIEC, FedReporterDataBot,
    fidget-spinner-bot, FindITAnswersbot, findlink, FirmoGraph, friendly-spider, FriendlyCrawler, fuelbot,
    FullStoryBot, Fyrebot, G2 Web Services, Gaisbot, GarlikCrawler, gdnplus.com, Genieo, GenomeCrawlerd,
    getthit.com, GIFTEDVISITOR SCAN, GingerCrawler, GnowitNewsbot, Goodzer, GoParserBot, GoPay, Gowikibot,
    Grammarly, gregcrawler, Grobbot, GroupHigh, GuestpostsBot, Gulper Web Bot, HaloBot, HanaleiBot, HappyWing,
    harsilbot, HawaiiBot, hCardValidator, HelloworkJobPostingBot, hgfAlphaXCrawl, HIFIBot, Hlidam.to robot,
    Hotjar, Huckabot, Hype Machine, hypestat, hyscore.io, ICBot/, ICC-Crawler, IFTTT/, ImageFetcher,
    impendoom-bot, imrbot, Indy Library, infoobot, Innguma, Instapaper, Integromat, integromedb, ips-agent,
    IRLbot, iskanie, it2media-domain-crawler, Jamie's Spider, jpg-newsbot, Jumio, kazbtbot, Kemvibot,
    keys-so-bot, kinsta-bot, Klaviyo, Known Agent, KomodiaBot, Konturbot, KosmioBot, KStandBot, Kukei.eu-Bot,
    Landau-Media-Spider, Laserlikebot, LastModBot, Leikibot, linkapediabot, linkdex, LinkisBot, LinksIndexerBot,
    lipperhey, LivelapBot, loopimprovements.com, Luminator-robots, MaCoCu, Macrobondbot, MADBbot,
    magicsearchdev, Magnet.me-web, MagnetmeBot, Magus Bot, MailChimp, MainWP, ManageWP, mappydata, MarketGoo,
    MarketingMiner, Mavifinds, MedialogiaBot, Mediatoolkitbot, memorybot, MergadoBot, MetaInspector, MetaJobBot,
    MetaURI, Metorik, mindUpBot, minicrawler, Minoru's Fediverse Crawler, MissinglettrBot, mithril-crawler,
    MixnodeCache, mlbot, ModernizeBot, ModularConnector, Mollie HTTP client, Monibot, MonTools.com, MoodleBot,
    MotoMinerBot, MTRobot, MuckRack, Multiviewbot, nbertaupete95, NerdByNature.Bot, nerdybot, NetAPI,
    netEstate NE Crawler, Neticle Crawler, NetpeakCheckerBot, NewsNow, Nimbostratus-Bot, Nitro-, NitroBot,
    NoahBot, nomore404.com robot, noorobot, Nooshub, nvdorz, nyt_scraping, Ocarinabot, Omnisend,
    online-webceo-bot, OpenGraphCheck, Orbbot, OutsellURLValidator, PagePeeker, PageThing, Pandalytics,
    panscient, PaperLiBot, Paqlebot, parse.ly scraper, ParselySharesBot, PayPal, Pcore-HTTP, PDF24 URL To PDF,
    Penthouse Critical Path CSS Generator, PiplBot, PlagAwareBot, Plesk screenshot bot, PocketParser,
    Pomothy-Bot, PR-CY.RU, PressEngineBot, PricedroneShoppingBot, PriEcoBot, Primalbot, PrintFriendly.com,
    PrivacyAwareBot, Pro-Sitemaps, PS_Daily, PWABuilderHttpAgent, Pywikibot, qcbot, QualifiedBot,
    Rakuten Image extraction bot, rakutenusabot-image, rawweb-bot, Recurly Webhooks, Reelevant, Refindbot,
    RegionStuttgartBot, remove.bg, RepoLookoutBot, ResearchBot, researchscan.comsys.rwth-aachen.de, Retool,
    RetrevoPageAnalyzer, RetroListeCOM, RevvimGort, reward-gateway, RidderBot, Rivva, RobotsChecker,
    RSiteAuditor, RyteBot, Salesforce.com, SandobaCrawler, Schema-Markup-Validator, Scoop.it, ScoutJet,
    ScrapeheroBot, screeenly-bot, Scrunchbot, SEBot-WA, seewithkids, semaltbot, semanticbot, SemanticScholarBot,
    sempi.tech, SendGrid Event API, SenutoBot, SerendeputyBot, ServerHunterSpider, SFDC-Callout,
    Shopify-Captain-Hook, ShortPixel, Sidetrade indexer bot, SimpleCrawler, SimpleScraper, SinceraSyntheticUser,
    Sindup, sitebot, SiteCheck-sitecrawl, SiteCheckerBotCrawler, siteexplorer.info, SiteScoreBot,
    SitesOverPagesBot, Skroutz ImageBot, SkroutzBot, SkyworkSpider, SlaccaleBot, SlickBot, Snacktory, Snipcart,
    Sora POS, SottopopNone, SparkPost, SparkShipping, spbot, SQWatcher, SSSSBot, startmebot, Statabot,
    StatistikAustria, StatsDroneBot, StorygizeBot, Streamline3Bot, Stripe, summify, SurdotlyBot, SurveyBot,
    SustainabilityCrawler, Svix-Webhooks, SWIMGBot, SynthesiBot, Sysomos, t3versionsBot, TactiScout,
    TangibleeBot, tchelebi, TestLocally, TextRazor, thesis-research-bot, Thinklab, tigerbot, TinEye,
    TombaPublicWebCrawler, Traackr.com, tracemyfile, TrendsmapResolver, trentwil.es, Trustly, TSMbot, Tweakers,
    tweetedtimes, TwinAgent, Twurly, UGAResearchAgent, um-LN, Upflow, urlappendbot, Urlcheckr,
    UrlSuMa.de crawler, URLSuMaBot, useeBookChecker, Vagabondo, vebidoobot, VelenPublicWebCrawler, Veoozbot,
    Vercelbot, videootv Bot, videootvBot, vmcrawl, vuhuvBot, WARDBot, Web Measure,
    Web Screen Service By hyperhost, WebCEO Online, WebDataStats, Webflow, webprosbot, Website-info.net-Robot,
    WebSniffer, WebwikiBot, WellKnownBot, WhatsMyIP.org, Wheregoes.com, WireReaderBot, WISEbot, WJHRO/,
    wmtips.com, woobot, WordCountBot, Wordup-1, workona-favicon-service, WOVN Crawler, WovnCrawler,
    wowLink Crawler, WP Time Capsule, wpbot/, WRTNBot, XML Sitemaps Generator, Yellowbrandprotectionbot,
    yelpspider, YextBot, YokoyGroupAG, yoozBot, Yuuperbot, Zapier, zebra-v2-bot, zenback bot, Zendesk Webhook,
    Zombiebot, ZoteroTranslationServer/WMF, ZuperlistBot, zzhbot
  `,
}

export type KnownCrawlerGroup = keyof typeof namesByGroup

export const knownCrawlers: readonly [group: KnownCrawlerGroup, table: readonly NamedWords[]][] = (
  Object.keys(namesByGroup) as KnownCrawlerGroup[]
).map(group => [group, namedByThemselves(namesByGroup[group])])

function namedByThemselves(names: string): NamedWords[] {
  return names.split(',').map(word => {
    const name = word.trim()
    return [name.replace(/\/$/, ''), name.toLowerCase()]
  })
}
