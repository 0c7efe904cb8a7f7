/** The store over any SQL database that kysely speaks. What one database does otherwise is not here. */
import { randomBytes } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { GroupCommit, type Work } from './group-commit.ts'
import { KeptQueries } from './kept-queries.ts'
import { ObjectTables } from './object-tables.ts'
import type { Schema } from './schema.ts'
import type {
  ChangeListener,
  ObjectRecord,
  OperationRecord,
  PinOwner,
  SlotRecord,
  Store,
  TokenRecord,
} from './store.ts'

/** 8 random bytes in hexadecimal fill the 16 characters of CK_TOKEN_INFO.serialNumber. */
const SERIAL_BYTES = 8

const FAILURES = { so: 'soFailures', user: 'userFailures' } as const

const noSlot = (slot: number) => new CryptokiError(CKR.SLOT_ID_INVALID, `there is no slot ${slot}`)

const noToken = (slot: number) =>
  new CryptokiError(CKR.TOKEN_NOT_RECOGNIZED, `slot ${slot} holds no initialised token`)

type Row<Table extends keyof Schema> = Selectable<Schema[Table]>

/** A slot joined with its token, if it has one. */
type SlotRow = Pick<Row<'slots'>, 'slot' | 'serial'> & {
  readonly [column in keyof TokenRecord]: Row<'tokens'>[column] | null
}

function slotOf(row: SlotRow): SlotRecord {
  const { slot, serial, label, soKey, publicKey, soFailures, userFailures } = row
  const initialised =
    label !== null &&
    soKey !== null &&
    publicKey !== null &&
    soFailures !== null &&
    userFailures !== null
  if (!initialised) return { slot, serial, token: null }
  const { userKey } = row
  const userPinToBeChanged = Boolean(row.userPinToBeChanged)
  const token = { label, soKey, userKey, publicKey, soFailures, userFailures, userPinToBeChanged }
  return { slot, serial, token }
}

export class SqlStore implements Store {
  readonly #database: Kysely<Schema>
  readonly #commits: GroupCommit<Schema>
  readonly #queries = new KeptQueries<Schema>()
  readonly #objects: ObjectTables
  readonly #listeners: ChangeListener[] = []

  /** Takes the database over: `close` destroys it. */
  constructor(database: Kysely<Schema>) {
    this.#database = database
    this.#commits = new GroupCommit(database)
    this.#objects = new ObjectTables(database, this.#queries)
  }

  async slots(): Promise<readonly SlotRecord[]> {
    const rows = await this.#slots().orderBy('slots.slot').execute()
    return rows.map(slotOf)
  }

  async slot(slot: number): Promise<SlotRecord | undefined> {
    const row = await this.#slots().where('slots.slot', '=', slot).executeTakeFirst()
    return row && slotOf(row)
  }

  async addSlot(): Promise<SlotRecord> {
    const serial = randomBytes(SERIAL_BYTES).toString('hex')
    const slot = await this.#transaction(async (transaction) => {
      const { last } = await transaction
        .selectFrom('slots')
        .select((is) => is.fn.max('slot').as('last'))
        .executeTakeFirstOrThrow()
      const next = last === null ? 0 : Number(last) + 1
      await transaction.insertInto('slots').values({ slot: next, serial, removed: false }).execute()
      return next
    })
    this.#changed(slot)
    return { slot, serial, token: null }
  }

  async initToken(slot: number, token: TokenRecord): Promise<void> {
    await this.#transaction(async (transaction) => {
      await this.#mustExist(transaction, slot)
      await transaction.deleteFrom('tokens').where('slot', '=', slot).execute()
      await transaction
        .insertInto('tokens')
        .values({ slot, ...token })
        .execute()
    })
    this.#changed(slot)
  }

  async updateToken(slot: number, change: Partial<TokenRecord>): Promise<void> {
    if (Object.keys(change).length === 0) return
    await this.#transaction(async (transaction) => {
      const { numUpdatedRows } = await transaction
        .updateTable('tokens')
        .set(change)
        .where('slot', '=', slot)
        .executeTakeFirst()
      if (numUpdatedRows === 0n) throw noToken(slot)
    })
    this.#changed(slot)
  }

  async removeSlot(slot: number): Promise<void> {
    await this.#transaction(async (transaction) => {
      await this.#mustExist(transaction, slot)
      await transaction.deleteFrom('tokens').where('slot', '=', slot).execute()
      await transaction
        .updateTable('slots')
        .set({ removed: true })
        .where('slot', '=', slot)
        .execute()
    })
    this.#changed(slot)
  }

  async countAttempt(slot: number, owner: PinOwner, limit: number): Promise<number | undefined> {
    const failures = FAILURES[owner]
    const counted = await this.#database
      .updateTable('tokens')
      .set(failures, (is) => is(failures, '+', 1))
      .where('slot', '=', slot)
      .where(failures, '<', limit)
      .returning(failures)
      .executeTakeFirst()
    if (counted === undefined) {
      await this.#mustHoldToken(this.#database, slot)
      return undefined
    }
    this.#changed(slot)
    return counted[failures]
  }

  clearAttempts(slot: number, owner: PinOwner): Promise<void> {
    return this.updateToken(slot, { [FAILURES[owner]]: 0 })
  }

  async createObjects(
    slot: number,
    objects: readonly ObjectRecord[],
    operation?: number,
  ): Promise<void> {
    if (objects.length === 0) return
    await this.#transaction(async (transaction) => {
      await this.#mustHoldToken(transaction, slot)
      for (const object of objects) await this.#objects.insert(transaction, slot, object)
      if (operation !== undefined) await this.#dropOperation(transaction, slot, operation)
    })
    for (const { id } of objects) this.#changed(slot, id)
  }

  object(slot: number, id: string): Promise<ObjectRecord | undefined> {
    return this.#objects.read(slot, id)
  }

  findObjects(
    slot: number,
    isPrivate: boolean,
    tags: readonly Uint8Array[],
  ): Promise<readonly string[]> {
    return this.#objects.find(slot, isPrivate, tags)
  }

  async replaceObject(slot: number, record: ObjectRecord): Promise<boolean> {
    const replaced = await this.#transaction((transaction) =>
      this.#objects.replace(transaction, slot, record),
    )
    if (replaced) this.#changed(slot, record.id)
    return replaced
  }

  async destroyObject(slot: number, id: string): Promise<boolean> {
    const destroyed = await this.#transaction((transaction) =>
      this.#objects.destroy(transaction, slot, id),
    )
    if (destroyed) this.#changed(slot, id, true)
    return destroyed
  }

  async keepOperation(slot: number, record: OperationRecord): Promise<void> {
    await this.#transaction(async (transaction) => {
      await this.#mustHoldToken(transaction, slot)
      await transaction
        .insertInto('operations')
        .values({ slot, ...record })
        .execute()
    })
  }

  async operations(slot: number): Promise<readonly OperationRecord[]> {
    const rows = await this.#database
      .selectFrom('operations')
      .select(['id', 'name', 'begun', 'isPrivate', 'finished', 'sealed'])
      .where('slot', '=', slot)
      .orderBy('begun')
      .execute()
    return rows.map((row) => ({
      ...row,
      id: Number(row.id),
      begun: Number(row.begun),
      isPrivate: Boolean(row.isPrivate),
      finished: Boolean(row.finished),
    }))
  }

  async finishOperation(slot: number, id: number, sealed: Uint8Array): Promise<boolean> {
    const { numUpdatedRows } = await this.#database
      .updateTable('operations')
      .set({ finished: true, sealed })
      .where('slot', '=', slot)
      .where('id', '=', id)
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }

  dropOperation(slot: number, id: number): Promise<boolean> {
    return this.#dropOperation(this.#database, slot, id)
  }

  onChange(listener: ChangeListener): void {
    this.#listeners.push(listener)
  }

  async close(): Promise<void> {
    await this.#commits.idle()
    await this.#database.destroy()
  }

  #slots() {
    return this.#database
      .selectFrom('slots')
      .leftJoin('tokens', 'tokens.slot', 'slots.slot')
      .selectAll('tokens')
      .select(['slots.slot', 'slots.serial'])
      .where('slots.removed', '=', false)
  }

  async #mustExist(database: Kysely<Schema>, slot: number): Promise<void> {
    const row = await database
      .selectFrom('slots')
      .select('slot')
      .where('slot', '=', slot)
      .where('removed', '=', false)
      .executeTakeFirst()
    if (row === undefined) throw noSlot(slot)
  }

  async #mustHoldToken(database: Kysely<Schema>, slot: number): Promise<void> {
    const held = await this.#queries.rows(database, 'token', [slot], () =>
      database.selectFrom('tokens').select('slot').where('slot', '=', slot),
    )
    if (held.length === 0) throw noToken(slot)
  }

  async #dropOperation(database: Kysely<Schema>, slot: number, id: number): Promise<boolean> {
    const { numDeletedRows } = await database
      .deleteFrom('operations')
      .where('slot', '=', slot)
      .where('id', '=', id)
      .executeTakeFirst()
    return numDeletedRows > 0n
  }

  #transaction<T>(work: Work<Schema, T>): Promise<T> {
    return this.#commits.run(work)
  }

  #changed(slot: number, object?: string, destroyed = false): void {
    for (const listener of this.#listeners) listener(slot, object, destroyed)
  }
}
