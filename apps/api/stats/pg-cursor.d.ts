declare module 'pg-cursor' {
  import type { EventEmitter } from 'node:events'

  export default class Cursor<Row = unknown> extends EventEmitter {
    constructor(text: string, values: unknown[])
    read(rows: number): Promise<Row[]>
    close(): Promise<void>
  }
}
