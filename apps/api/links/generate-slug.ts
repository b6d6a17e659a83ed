import { customAlphabet } from 'nanoid'

/**
 * 43 characters. Without look-alikes: no 0 O o, no 1 I l, no 2 (Z), no 5 (S). Without vowels, y, and the digits that
 * are read as vowels (3, 4), so that no slug is a word by accident, be it a rude one or a route's.
 */
export const slugAlphabet = '6789BCDFGHJKLMNPQRSTVWXZbcdfghjkmnpqrstvwxz'

/** 43^7 = 271,818,611,107 slugs. */
export const slugLength = 7

/**
 * A slug for a link whose creator chose none, from the system's cryptographic random source (nanoid, without modulo
 * bias), so that no slug tells anything of the next or of how many there are.
 *
 * It may be taken: with 1 million links one in 272,000 is, with 100 million one in 2,718, and the caller draws again.
 * The same odds hold for guessing: who tries slugs against 1 million links finds one per 272,000 requests. A slug is
 * no secret.
 */
export const generateSlug: () => string = customAlphabet(slugAlphabet, slugLength)
