declare module 'punycode/punycode.es6.js' {
  /** RFC 3492, without the prefix `xn--`. Throws a RangeError for invalid input. */
  export function decode(label: string): string
}
