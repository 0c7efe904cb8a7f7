/** The tables of a store as kysely sees them, in any SQL database. */
import type { ColumnType, Generated } from 'kysely'

/** A truth value: some databases answer it as 0 or 1. */
export type Flag = ColumnType<boolean | number, boolean, boolean>

/** One row a slot ever made, so that neither its number nor its serial number comes again. */
interface SlotsTable {
  slot: number
  serial: string
  removed: Flag
}

/** One row an initialised token; the columns are those of TokenRecord. Falls with its slot. */
interface TokensTable {
  slot: number
  label: string
  soKey: Uint8Array
  userKey: Uint8Array | null
  publicKey: Uint8Array
  soFailures: number
  userFailures: number
  userPinToBeChanged: Flag
}

/** One row a token object. Falls with its token. */
interface ObjectsTable {
  /** Grows with each object made: the order of age. */
  number: Generated<number>
  slot: number
  id: string
  version: number
  isPrivate: Flag
  /** The tags end to end, 16 bytes each: what an object has in `tags` is known without an index on it. */
  tags: Uint8Array
  sealed: Uint8Array
}

/** The blind index: one row an object and tag, in the order (slot, tag, object). Falls with the token. */
interface TagsTable {
  slot: number
  tag: Uint8Array
  /** `number` of the object. */
  object: number
}

/** One row a function that goes on without its session. Falls with its token. */
interface OperationsTable {
  slot: number
  id: number
  name: string
  begun: number
  isPrivate: Flag
  finished: Flag
  sealed: Uint8Array
}

export interface Schema {
  slots: SlotsTable
  tokens: TokensTable
  objects: ObjectsTable
  tags: TagsTable
  operations: OperationsTable
}
