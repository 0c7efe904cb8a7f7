/** PINs that come from files. */
import { closeSync, openSync, readSync } from 'node:fs'
import { Failure } from './failure.ts'

/** Longest first line of a PIN file that is read, in bytes; the token's own limit is lower. */
const LONGEST_LINE = 1024

/** The first line of a file, without its newline; `-` is standard input. */
export function pinFromFile(file: string): Buffer {
  try {
    if (file === '-') return firstLine(0)
    const descriptor = openSync(file, 'r')
    try {
      return firstLine(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw new Failure(`the PIN file cannot be read: ${(error as Error).message}`, undefined, {
      cause: error,
    })
  }
}

/** Byte by byte, so that what follows the line is left: two PINs may come from standard input. */
function firstLine(descriptor: number): Buffer {
  const line = Buffer.alloc(LONGEST_LINE)
  let length = 0
  while (length < LONGEST_LINE && readByte(descriptor, line, length) && line[length] !== 0x0a)
    length++
  return line[length - 1] === 0x0d && line[length] === 0x0a
    ? line.subarray(0, length - 1)
    : line.subarray(0, length)
}

/** False at the end. */
function readByte(descriptor: number, into: Buffer, offset: number): boolean {
  for (;;) {
    try {
      return readSync(descriptor, into, offset, 1, null) === 1
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      // Standard input is not blocking and nothing is there yet.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}
