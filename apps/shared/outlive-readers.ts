/**
 * Lets this process go on when nobody reads its output any more: `npm run queue failed | head`, or a log collector that
 * ended. Without a listener Node ends a process whose standard output or error is a broken pipe (EPIPE). Other errors, such
 * as a full disk, still end it.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
}
