/** Objects and the tags that they are found by, in any SQL database. */
import {
  type Compilable,
  type Kysely,
  type SelectQueryBuilder,
  sql,
  type Transaction,
} from 'kysely'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { KeptQueries } from './kept-queries.ts'
import type { Schema } from './schema.ts'
import type { ObjectRecord } from './store.ts'

const TAG_BYTES = 16

/** Characters of an object's id (ObjectRecord). */
const ID_LENGTH = 32

/** So many tags of a search are weighed, and of each so many objects counted, to know where to start. */
const WEIGHED = 16
const COUNTED = 64

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

/** A query of objects, oldest first; which tables it looks at is its own affair. */
type IdQuery = SelectQueryBuilder<Schema, keyof Schema, { id: string }>

/** The calls of a Store (store.ts) on objects; whoever holds this tells of changes. */
export class ObjectTables {
  readonly #database: Kysely<Schema>
  readonly #queries: KeptQueries<Schema>

  constructor(database: Kysely<Schema>, queries: KeptQueries<Schema>) {
    this.#database = database
    this.#queries = queries
  }

  async read(slot: number, id: string): Promise<ObjectRecord | undefined> {
    const [row] = await this.#queries.rows(this.#database, 'object', [slot, id], () =>
      this.#database
        .selectFrom('objects')
        .select(['version', 'isPrivate', 'tags', 'sealed'])
        .where('slot', '=', slot)
        .where('id', '=', id),
    )
    if (row === undefined) return undefined
    const { version, sealed } = row
    return { id, version, isPrivate: Boolean(row.isPrivate), sealed, tags: split(row.tags) }
  }

  async find(
    slot: number,
    isPrivate: boolean,
    tags: readonly Uint8Array[],
  ): Promise<readonly string[]> {
    const [rarest, ...others] = await this.#rarestFirst(slot, without(tags, []))
    if (rarest === undefined)
      return this.#ids('all objects', [slot, isPrivate], () => this.#all(slot, isPrivate))
    const further = others.length === 0 ? [] : [slot, ...others, others.length]
    return this.#ids(
      `objects with a tag and ${others.length} others`,
      [slot, rarest, isPrivate, ...further],
      () => this.#with(slot, isPrivate, rarest, others),
    )
  }

  /** False where the object's version is not record.version - 1. */
  async replace(
    transaction: Transaction<Schema>,
    slot: number,
    { id, version, isPrivate, sealed, tags }: ObjectRecord,
  ): Promise<boolean> {
    const row = { version, isPrivate, tags: join(tags), sealed }
    const [before] = await this.#queries.rows(transaction, 'before', [slot, id, version - 1], () =>
      transaction
        .selectFrom('objects')
        .select(['number', 'tags'])
        .where('slot', '=', slot)
        .where('id', '=', id)
        .where('version', '=', version - 1),
    )
    if (before === undefined) return false
    const { number } = before
    const earlier = split(before.tags)
    const values = [...Object.values(row), number]
    await this.#queries.rows(transaction, 'replace', values, () =>
      transaction.updateTable('objects').set(row).where('number', '=', number),
    )
    await this.#deleteTags(transaction, slot, number, without(earlier, tags))
    await this.#insertTags(transaction, slot, number, without(tags, earlier))
    return true
  }

  /** False where there is none. */
  async destroy(transaction: Transaction<Schema>, slot: number, id: string): Promise<boolean> {
    const [row] = await this.#queries.rows(transaction, 'destroy', [slot, id], () =>
      transaction
        .deleteFrom('objects')
        .where('slot', '=', slot)
        .where('id', '=', id)
        .returning(['number', 'tags']),
    )
    if (row === undefined) return false
    await this.#deleteTags(transaction, slot, row.number, without(split(row.tags), []))
    return true
  }

  /** In a transaction, as all that writes here. */
  async insert(
    transaction: Transaction<Schema>,
    slot: number,
    { id, version, isPrivate, sealed, tags }: ObjectRecord,
  ): Promise<void> {
    if (id.length !== ID_LENGTH)
      throw new CryptokiError(CKR.GENERAL_ERROR, `an id is not ${ID_LENGTH} characters long`)
    const row = { slot, id, version, isPrivate, tags: join(tags), sealed }
    const made = await this.#queries.rows(transaction, 'insert', Object.values(row), () =>
      transaction.insertInto('objects').values(row).returning('number'),
    )
    for (const { number } of made)
      await this.#insertTags(transaction, slot, number, without(tags, []))
  }

  async #insertTags(
    transaction: Transaction<Schema>,
    slot: number,
    object: number,
    tags: readonly Uint8Array[],
  ): Promise<void> {
    if (tags.length === 0) return
    const rows = tags.map((tag) => ({ slot, tag, object }))
    const values = rows.flatMap((row) => Object.values(row))
    await this.#queries.rows(transaction, `insert ${tags.length} tags`, values, () =>
      transaction.insertInto('tags').values(rows),
    )
  }

  async #deleteTags(
    transaction: Transaction<Schema>,
    slot: number,
    object: number,
    tags: readonly Uint8Array[],
  ): Promise<void> {
    if (tags.length === 0) return
    const values = [slot, ...tags, object]
    await this.#queries.rows(transaction, `delete ${tags.length} tags`, values, () =>
      transaction
        .deleteFrom('tags')
        .where('slot', '=', slot)
        .where('tag', 'in', tags)
        .where('object', '=', object),
    )
  }

  /** What a query of ids finds, as one text: an object made for each row takes thrice the time and memory. */
  async #ids(
    name: string,
    values: readonly unknown[],
    build: () => IdQuery,
  ): Promise<readonly string[]> {
    const [row] = await this.#queries.rows(this.#database, name, values, () =>
      this.#database
        .selectFrom(build().as('found'))
        .select(sql<string | null>`string_agg(found.id, '')`.as('ids')),
    )
    const ids = row?.ids ?? ''
    return Array.from({ length: ids.length / ID_LENGTH }, (_, index) =>
      ids.slice(index * ID_LENGTH, (index + 1) * ID_LENGTH),
    )
  }

  #all(slot: number, isPrivate: boolean): IdQuery {
    return this.#database
      .selectFrom('objects')
      .select('id')
      .where('slot', '=', slot)
      .where('isPrivate', '=', isPrivate)
      .orderBy('number')
  }

  #with(slot: number, isPrivate: boolean, tag: Uint8Array, others: readonly Uint8Array[]): IdQuery {
    const query = this.#database
      .selectFrom('tags')
      .innerJoin('objects', 'objects.number', 'tags.object')
      .select('objects.id')
      .where('tags.slot', '=', slot)
      .where('tags.tag', '=', tag)
      .where('objects.isPrivate', '=', isPrivate)
      .orderBy('tags.object')
    if (others.length === 0) return query
    return query.where(
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
  }

  /**
   * Puts the tag that the fewest objects have first: of CKA_CLASS and CKA_ID only CKA_ID leads to an
   * object at once. It is a matter of speed alone, so it may count before what is found after.
   */
  async #rarestFirst(slot: number, tags: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    if (tags.length < 2) return tags
    const weighed = tags.slice(0, WEIGHED)
    const [counts] = await this.#queries.rows(
      this.#database,
      `count ${weighed.length} tags`,
      weighed.flatMap((tag) => [slot, tag, COUNTED]),
      () => this.#counts(slot, weighed),
    )
    const numbers = weighed.map((_, index) => Number(counts?.[`tag${index}`]))
    const rarest = numbers.indexOf(Math.min(...numbers))
    return [...tags.slice(rarest), ...tags.slice(0, rarest)]
  }

  /** One row: `tag0` tells how many objects have the first tag, COUNTED at most. */
  #counts(slot: number, tags: readonly Uint8Array[]): Compilable<Record<string, unknown>> {
    return this.#database.selectNoFrom((is) =>
      tags.map((tag, index) =>
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
  }
}
