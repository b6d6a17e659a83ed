/** A process that does nothing, under the title in its argument. */
process.title = process.argv[2] ?? ''
process.stdout.write('sleeps\n')
setInterval(() => {}, 60_000)
