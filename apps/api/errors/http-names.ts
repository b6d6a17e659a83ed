/**
 * Node's lists of methods and status texts. Not by `import`, which reads every export of node:http; one of them, WebSocket,
 * loads all of undici: 50 of 630 ms of CPU time at start.
 */
export const { METHODS, STATUS_CODES } = process.getBuiltinModule('node:http')
