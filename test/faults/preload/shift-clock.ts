/** For `node --import`: this process's clock is off by CLOCK_SHIFT_MS, with CLOCK_SHIFT_ON from that signal on. */
const signal = process.env.CLOCK_SHIFT_ON
let shiftMs = signal === undefined ? Number(process.env.CLOCK_SHIFT_MS) : 0
if (signal !== undefined)
  process.on(signal, () => {
    shiftMs = Number(process.env.CLOCK_SHIFT_MS)
  })
const RealDate = Date
const realNow = Date.now

Date.now = () => realNow() + shiftMs
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [Date.now()] : args, newTarget),
  apply: () => new RealDate(realNow() + shiftMs).toString(),
})
