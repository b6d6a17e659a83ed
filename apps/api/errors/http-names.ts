/**
 * Node's lists of methods and status texts. Not by `import`: that reads every export of node:http, and with WebSocket
 * loads the whole of undici, 50 of 630 ms of CPU time at start.
 */
export const { METHODS, STATUS_CODES } = process.getBuiltinModule('node:http')
