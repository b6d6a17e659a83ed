/** Whether this is the nightly run (.ci/nightly), which also runs what takes too long for every change. */
export const isNightly = process.env.HOPCOUNT_NIGHTLY === '1'
