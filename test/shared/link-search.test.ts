import { expect, test } from 'vitest'
import { gramsOfSearch, searchBlock, searchedText, searchLine } from '../../apps/shared/link-search.ts'

const link = (longUrl: string, title: string | null = null) => ({ id: 7, slug: 'Slug', longUrl, title })

test('a target is searched as it is stored, and as people read it', () => {
  expect(searchLine(link('https://xn--mnchen-3ya.example/Stra%C3%9Fe?a=%2F'))).toBe(
    'slug\thttps://xn--mnchen-3ya.example/stra%c3%9fe?a=%2f\thttps://münchen.example/straße?a=%2f',
  )
  expect(searchLine(link('https://example.com/', 'ÄÖ'))).toBe('slug\thttps://example.com/\täö')
})

test('a target that can not be decoded, or has control characters, is one line all the same', () => {
  for (const url of ['https://example.com/%ff', 'https://example.com/%0a%09%00x', 'https://xn--a.example/'])
    expect(searchLine(link(url)).split('\t').length).toBeLessThan(4)
  expect(searchLine(link('https://example.com/%0A%09x'))).not.toContain('\n')
})

test.each(['s', 'LU', 'slug', 'https://ex', '%C3', '東京', '東', '😀', 'a b', '://'])(
  'a block has the grams of every part of its texts: %s',
  part => {
    const texts = ['SLUG', 'https://example.com/%c3%9f', 'x 東京 😀 a b']
    const block = searchBlock(
      0,
      texts.map(title => link('https://example.com/', title)),
    )
    expect(block.text).toContain(searchedText(part))
    expect(block.grams).toEqual(expect.arrayContaining(gramsOfSearch(searchedText(part))))
  },
)

test('what no text has is mostly not in a block, and nothing runs from one field into the next', () => {
  const { grams } = searchBlock(0, [link('https://example.com/', 'one'), link('https://example.com/', 'two')])
  for (const absent of ['zq', '€', 'xyz', 'neslug'])
    expect(gramsOfSearch(absent).every(gram => grams.includes(gram))).toBe(false)
})
