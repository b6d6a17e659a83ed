/** The link id under which the aggregate tables hold the sums of all links. No link has it: ids start at 1. */
export const allLinks = 0
