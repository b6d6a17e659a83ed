/**
 * Writes the fields of COPY's binary format one after another (PostgreSQL manual, COPY, "Binary Format"): the length in
 * 4 bytes, then the value; the length −1 stands for NULL. The caller makes sure that the buffer has room.
 */
import { writeBigint, writeTimestamp } from '@hopcount/shared/database/binary-arrays.ts'

export class CopyFields {
  bytes: Buffer
  offset = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** What has been written so far. */
  written(): Buffer {
    return this.bytes.subarray(0, this.offset)
  }

  int16(value: number): void {
    this.offset = this.bytes.writeInt16BE(value, this.offset)
  }

  int32(value: number): void {
    this.offset = this.bytes.writeInt32BE(value, this.offset)
  }

  nullField(): void {
    this.int32(-1)
  }

  bigintField(value: number): void {
    this.int32(8)
    this.offset = writeBigint(this.bytes, value, this.offset)
  }

  timestampField(milliseconds: number): void {
    this.int32(8)
    this.offset = writeTimestamp(this.bytes, milliseconds, this.offset)
  }

  integerField(value: number | undefined): void {
    if (value === undefined) this.nullField()
    else {
      this.int32(4)
      this.int32(value)
    }
  }

  /** A smallint, in which 0 stands for "unknown". */
  codeField(code: number): void {
    if (code === 0) this.nullField()
    else {
      this.int32(2)
      this.int16(code)
    }
  }

  textField(text: string | undefined): void {
    if (text === undefined) this.nullField()
    else {
      const length = this.bytes.write(text, this.offset + 4)
      this.int32(length)
      this.offset += length
    }
  }
}
