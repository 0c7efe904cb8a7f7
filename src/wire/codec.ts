/** What the values of a message are made of: how a kind of argument is written and read. */
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** A kind of argument under way. Its letters stand in the signature of a message. */
export interface Codec<T = unknown> {
  readonly letters: string
  write(writer: Writer, value: T): void
  /** Throws a WireError. */
  read(reader: Reader): T
}

/** Something in an answer that is no answer of its own: written and read with the call's inputs. */
export interface Aside {
  readonly letters: string
  write(writer: Writer, inputs: readonly unknown[]): void
  read(reader: Reader, inputs: readonly unknown[]): void
}

/** A kind that does not travel and arrives as this value. */
export const absent = <T>(value: T): Codec<T> => ({
  letters: '',
  write: () => {},
  read: () => value,
})
