import { expect, test } from 'vitest'
import { assertCounted } from './measure-burst.ts'

test('a burst has no figures if an answered redirect is not counted, or more are than can have been answered', () => {
  expect(() => assertCounted(1_000, 999)).toThrow('1000 redirects were answered, and 999 counted')
  expect(() => assertCounted(1_000, 1_065)).toThrow('1000 redirects were answered, and 1065 counted')
  // wrk ends with up to one unread response on each of its 64 connections.
  for (const counted of [1_000, 1_064]) expect(() => assertCounted(1_000, counted)).not.toThrow()
})
