import { customAlphabet } from 'nanoid'

/**
 * 43 characters. No look-alikes: no 0 O o, no 1 I l, no 2 (Z), no 5 (S). No vowels, no y, and no digits that resemble
 * vowels (3, 4), so that no slug is accidentally a word, be it a rude one or a route.
 */
export const slugAlphabet = '6789BCDFGHJKLMNPQRSTVWXZbcdfghjkmnpqrstvwxz'

/** 43^7 = 271,818,611,107 slugs. */
export const slugLength = 7

/**
 * A random slug, from the system's cryptographic source (nanoid, without modulo bias), so that a slug reveals neither the
 * next one nor the number of links.
 *
 * It may be taken: with 1 million links one in 272,000 is, with 100 million one in 2,718. The caller then generates
 * another. The same odds apply to guessing: with 1 million links, one in 272,000 guesses finds a link. A slug is not a
 * secret.
 */
export const generateSlug: () => string = customAlphabet(slugAlphabet, slugLength)
