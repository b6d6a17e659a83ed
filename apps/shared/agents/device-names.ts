/** Kinds of devices; a device that says nothing of itself has none. */
export const deviceNames = [
  'desktop',
  'mobile',
  'tablet',
  'tv',
  'console',
  'watch',
  'car',
  'speaker',
] as const

export type Device = (typeof deviceNames)[number]
