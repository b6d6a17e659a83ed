import { domainToASCII, domainToUnicode } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shownTarget } from '../../apps/dashboard/src/text/shown-target.ts'

const harmless = [
  'bücher.example',
  'españa.example',
  'straße.example',
  'élysée.example',
  'kødbyen.example',
  'пример.испытание.рф',
  'медведи-26.example',
  'δοκιμή.example',
  'παράδειγμα.δοκιμή',
  '例え.テスト',
  'ラーメン.example',
  '佐々木.example',
  '中文.中国',
  '한국어.example',
  'xn.example',
]
const deceptive = {
  'apple, all in Cyrillic (the homograph of 2017)': 'аррӏе.com',
  'paypal with one Cyrillic letter': 'pаypal.com',
  'microsoft in Latin and Greek': 'miсrοsoft.com',
  'google with a Latin small script g': 'ɡoogle.com',
  'facebook with a dot below': 'faceboọk.com',
  'twitter with a dotless i': 'twıtter.com',
  'paypal with an accent on the l': 'paypaĺ.com',
  'wikipedia with an accent on an i': 'wikípedia.org',
  'ethics, all in Greek': 'ικο.com',
  'a Cyrillic label without an unmistakable letter': 'воток.com',
  'a host in Cherokee': 'ᏀᎪᎢᎷ.com',
  'a host in Armenian': 'օոսցո.com',
  'a slash of Katakana': 'google.comノfoo.example',
  'a fraction slash': 'google.com⁄foo.example',
  'a hyphen of Katakana alone': 'ー.example',
  'a host from right to left': 'موقع.example',
  'a host in Hebrew letters and digits': 'אב1.example',
  'Latin and Japanese': 'サービスabc.example',
  'an emoji': '☕.example',
  'a Cyrillic letter below a titlo': 'при҃мер.example',
  'only one of two labels': 'bücher.аррӏе.example',
}

describe('targets are shown', () => {
  it('in their own letters where those can’t pass for others', () => {
    for (const host of harmless) {
      const url = `https://${domainToASCII(host)}/a?b=c#d`
      expect(shownTarget(url)).toBe(`https://${host}/a?b=c#d`)
    }
  })

  it('as punycode where they can', () => {
    for (const [name, host] of Object.entries(deceptive)) {
      const ascii = domainToASCII(host)
      expect(`${name}: ${ascii}`).toContain('xn--')
      expect(`${name}: ${shownTarget(`https://${ascii}/`)}`).toBe(`${name}: https://${ascii}/`)
      // Referrers are shown as they came, in any form.
      expect(`${name}: ${shownTarget(`https://${host}/`)}`).toBe(`${name}: https://${ascii}/`)
    }
  })

  it('with the rest of the URL, a port and a user as they are', () => {
    expect(shownTarget('http://me:secret@xn--bcher-kva.example:8080/xn--80ak6aa92e')).toBe(
      'http://me:secret@bücher.example:8080/xn--80ak6aa92e',
    )
    expect(shownTarget('https://xn--bcher-kva.example\\.evil.test/')).toBe(
      'https://bücher.example\\.evil.test/',
    )
    for (const url of [
      'https://Example.com/%C3%BC?q=ü',
      'https://example.com./',
      'http://[2001:db8::1]:80/',
      'http://192.0.2.7/',
      'https://xn--0/',
      'javascript:alert(1)',
      'data:text/html,xn--bcher-kva.example',
      'no URL at all',
      '',
    ])
      expect(shownTarget(url)).toBe(url)
  })

  it('so that what is shown always leads to the stored host, and nothing else', () => {
    const letters = fc.constantFrom(...'abcilopxyzäßéıĺопрсеаухджяαβδθωνο々例テーノ한אع١0-Ꭺ☕\u200d\u0301')
    const host = fc.array(fc.string({ unit: letters, minLength: 1, maxLength: 8 }), {
      minLength: 1,
      maxLength: 3,
    })
    fc.assert(
      fc.property(host, labels => {
        const ascii = domainToASCII(`${labels.join('.')}.example`)
        fc.pre(ascii !== '' && URL.canParse(`http://${ascii}/`))
        const shown = /^http:\/\/([^/]*)\/$/.exec(shownTarget(`http://${ascii}/`))?.[1] ?? ''
        expect(new URL(`http://${shown}/`).hostname).toBe(new URL(`http://${ascii}/`).hostname)
        expect([ascii, domainToUnicode(ascii)]).toContain(shown)
      }),
      { numRuns: 2_000 },
    )
  })
})
