/** The store over any SQL database that kysely speaks. What one database does otherwise is not here. */
import { randomBytes } from 'node:crypto'
import type { Kysely, Selectable, Transaction } from 'kysely'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { GroupCommit, type Work } from './group-commit.ts'
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

const TAG_BYTES = 16

/** So many tags of a search are weighed, and of each so many objects counted, to know where to start. */
const WEIGHED = 16
const COUNTED = 64

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

function join(tags: readonly Uint8Array[]): Uint8Array {
  if (tags.some((tag) => tag.length !== TAG_BYTES))
    throw new CryptokiError(CKR.GENERAL_ERROR, `a tag is not ${TAG_BYTES} bytes long`)
  return Buffer.concat(tags)
}

function split(tags: Uint8Array): Uint8Array[] {
  const starts = Array.from({ length: tags.length / TAG_BYTES }, (_, index) => index * TAG_BYTES)
  return starts.map((start) => tags.subarray(start, start + TAG_BYTES))
}

/** Tags by their text; the same tag twice counts once. */
const byText = (tags: readonly Uint8Array[]): Map<string, Uint8Array> =>
  new Map(tags.map((tag) => [Buffer.from(tag).toString('latin1'), tag]))

/** The tags that `others` has not. */
function without(tags: readonly Uint8Array[], others: readonly Uint8Array[]): Uint8Array[] {
  const theirs = byText(others)
  return [...byText(tags)].filter(([text]) => !theirs.has(text)).map(([, tag]) => tag)
}

async function insertTags(
  transaction: Transaction<Schema>,
  slot: number,
  object: number,
  tags: readonly Uint8Array[],
): Promise<void> {
  if (tags.length === 0) return
  const rows = tags.map((tag) => ({ slot, tag, object }))
  await transaction.insertInto('tags').values(rows).execute()
}

async function deleteTags(
  transaction: Transaction<Schema>,
  slot: number,
  object: number,
  tags: readonly Uint8Array[],
): Promise<void> {
  if (tags.length === 0) return
  await transaction
    .deleteFrom('tags')
    .where('slot', '=', slot)
    .where('tag', 'in', tags)
    .where('object', '=', object)
    .execute()
}

export class SqlStore implements Store {
  readonly #database: Kysely<Schema>
  readonly #commits: GroupCommit<Schema>
  readonly #listeners: ChangeListener[] = []

  /** Takes the database over: `close` destroys it. */
  constructor(database: Kysely<Schema>) {
    this.#database = database
    this.#commits = new GroupCommit(database)
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
      for (const { id, version, isPrivate, sealed, tags } of objects) {
        const { number } = await transaction
          .insertInto('objects')
          .values({ slot, id, version, isPrivate, tags: join(tags), sealed })
          .returning('number')
          .executeTakeFirstOrThrow()
        await insertTags(transaction, slot, number, without(tags, []))
      }
      if (operation !== undefined) await this.#dropOperation(transaction, slot, operation)
    })
    for (const { id } of objects) this.#changed(slot, id)
  }

  async object(slot: number, id: string): Promise<ObjectRecord | undefined> {
    const row = await this.#database
      .selectFrom('objects')
      .select(['version', 'isPrivate', 'tags', 'sealed'])
      .where('slot', '=', slot)
      .where('id', '=', id)
      .executeTakeFirst()
    if (row === undefined) return undefined
    const { version, sealed } = row
    return { id, version, isPrivate: Boolean(row.isPrivate), sealed, tags: split(row.tags) }
  }

  async findObjects(
    slot: number,
    isPrivate: boolean,
    tags: readonly Uint8Array[],
  ): Promise<readonly string[]> {
    const [rarest, ...others] = await this.#rarestFirst(slot, without(tags, []))
    if (rarest === undefined) return this.#allObjects(slot, isPrivate)
    let query = this.#database
      .selectFrom('tags')
      .innerJoin('objects', 'objects.number', 'tags.object')
      .select('objects.id')
      .where('tags.slot', '=', slot)
      .where('tags.tag', '=', rarest)
      .where('objects.isPrivate', '=', isPrivate)
    if (others.length > 0)
      query = query.where(
        (is) =>
          is
            .selectFrom('tags as other')
            .select((of) => of.fn.countAll<number>().as('count'))
            .where('other.slot', '=', slot)
            .where('other.tag', 'in', others)
            .whereRef('other.object', '=', 'tags.object'),
        '=',
        others.length,
      )
    const rows = await query.orderBy('tags.object').execute()
    return rows.map(({ id }) => id)
  }

  async replaceObject(slot: number, record: ObjectRecord): Promise<boolean> {
    const { id, version, isPrivate, sealed, tags } = record
    const replaced = await this.#transaction(async (transaction) => {
      const before = await transaction
        .selectFrom('objects')
        .select(['number', 'tags'])
        .where('slot', '=', slot)
        .where('id', '=', id)
        .where('version', '=', version - 1)
        .executeTakeFirst()
      if (before === undefined) return false
      const { number } = before
      const earlier = split(before.tags)
      await transaction
        .updateTable('objects')
        .set({ version, isPrivate, tags: join(tags), sealed })
        .where('number', '=', number)
        .execute()
      await deleteTags(transaction, slot, number, without(earlier, tags))
      await insertTags(transaction, slot, number, without(tags, earlier))
      return true
    })
    if (replaced) this.#changed(slot, id)
    return replaced
  }

  async destroyObject(slot: number, id: string): Promise<boolean> {
    const destroyed = await this.#transaction(async (transaction) => {
      const row = await transaction
        .deleteFrom('objects')
        .where('slot', '=', slot)
        .where('id', '=', id)
        .returning(['number', 'tags'])
        .executeTakeFirst()
      if (row === undefined) return false
      await deleteTags(transaction, slot, row.number, without(split(row.tags), []))
      return true
    })
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

  async #allObjects(slot: number, isPrivate: boolean): Promise<readonly string[]> {
    const rows = await this.#database
      .selectFrom('objects')
      .select('id')
      .where('slot', '=', slot)
      .where('isPrivate', '=', isPrivate)
      .orderBy('number')
      .execute()
    return rows.map(({ id }) => id)
  }

  /**
   * Puts the tag that the fewest objects have first: of CKA_CLASS and CKA_ID only CKA_ID leads to an
   * object at once. It is a matter of speed alone, so it may count before what is found after.
   */
  async #rarestFirst(slot: number, tags: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    if (tags.length < 2) return tags
    const weighed = tags.slice(0, WEIGHED)
    const counts = await this.#database
      .selectNoFrom((is) =>
        weighed.map((tag, index) =>
          is
            .selectFrom(
              is
                .selectFrom('tags')
                .select('object')
                .where('slot', '=', slot)
                .where('tag', '=', tag)
                .limit(COUNTED)
                .as('some'),
            )
            .select((of) => of.fn.countAll<number>().as('count'))
            .as(`tag${index}`),
        ),
      )
      .executeTakeFirstOrThrow()
    const numbers = weighed.map((_, index) => Number(counts[`tag${index}`]))
    const rarest = numbers.indexOf(Math.min(...numbers))
    return [...tags.slice(rarest), ...tags.slice(0, rarest)]
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
    const query = database.selectFrom('tokens').select('slot').where('slot', '=', slot)
    if ((await query.executeTakeFirst()) === undefined) throw noToken(slot)
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
