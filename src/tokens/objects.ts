/**
 * The objects of a token: sealed in the store, opened when first used, kept open (with the key the
 * engine parsed) in a bounded cache. A change, a destruction and a logout empty it. Besides them are
 * those that tell about the token, which are stored nowhere.
 */
import { randomBytes } from 'node:crypto'
import { type Attributes, type CryptokiObject, isPrivateObject } from '../objects/object.ts'
import { builtInObjects } from '../objects/profiles.ts'
import { matches, searchable, searchTerms } from '../objects/search.ts'
import { deserialise, serialise } from '../objects/serialisation.ts'
import type { Attribute } from '../standard/calls.ts'
import { open, seal, TokenKeys, tag } from '../store/sealing.ts'
import type { ObjectRecord, Store } from '../store/store.ts'

/** Objects kept open at once; the one used longest ago is closed first. */
const MOST_OPEN = 4096

/** Bytes of an id, and how many are drawn at once: a draw takes as long as all else about a session object. */
const ID_BYTES = 16
const DRAWN = 256

let drawn: Buffer = Buffer.alloc(0)

/** CKA_UNIQUE_ID of a new object: random, and no secret. */
export function newObjectId(): string {
  if (drawn.length === 0) drawn = randomBytes(ID_BYTES * DRAWN)
  const id = drawn.toString('hex', 0, ID_BYTES)
  drawn = drawn.subarray(ID_BYTES)
  return id
}

export class TokenObjects {
  readonly #store: Store
  readonly #slot: number
  readonly #serial: string
  readonly #publicKeys: TokenKeys
  /** In the order of their last use. */
  readonly #open = new Map<string, CryptokiObject>()

  constructor(store: Store, slot: number, serial: string, publicKey: Uint8Array) {
    this.#store = store
    this.#slot = slot
    this.#serial = serial
    this.#publicKeys = new TokenKeys(publicKey)
  }

  /** Stores new objects, all or none. `keys` are those of the logged-in user, needed for private objects. */
  async create(
    objects: readonly CryptokiObject[],
    keys: TokenKeys | undefined,
    keptOperation?: number,
  ): Promise<void> {
    await this.#store.createObjects(
      this.#slot,
      objects.map((object) => this.#record(object, keys)),
      keptOperation,
    )
    for (const object of objects) this.#keep(object)
  }

  /** The object if it is open already; so that using a key again waits for nothing. */
  opened(id: string): CryptokiObject | undefined {
    const builtIn = builtInObjects.get(id)
    if (builtIn !== undefined) return builtIn
    const object = this.#open.get(id)
    if (object !== undefined) this.#keep(object)
    return object
  }

  /** undefined where there is none any more. */
  async load(id: string, keys: TokenKeys | undefined): Promise<CryptokiObject | undefined> {
    const opened = this.opened(id)
    if (opened !== undefined) return opened
    const record = await this.#store.object(this.#slot, id)
    if (record === undefined || (record.isPrivate && keys === undefined)) return undefined
    const { version, isPrivate } = record
    const attributes = deserialise(
      open(
        this.#keysFor(isPrivate, keys),
        { serial: this.#serial, id, version, isPrivate },
        record.sealed,
      ),
    )
    const object: CryptokiObject = { id, version, attributes }
    this.#keep(object)
    return object
  }

  /** Ids of the objects that match; private ones only with the user's keys. */
  async find(
    template: readonly Attribute[],
    keys: TokenKeys | undefined,
  ): Promise<{ id: string; isPrivate: boolean }[]> {
    const terms = searchTerms(template)
    if (terms === 'never') return []
    const found: { id: string; isPrivate: boolean }[] = []
    for (const isPrivate of keys === undefined ? [false] : [false, true]) {
      const using = this.#keysFor(isPrivate, keys)
      const tags = terms.map(([type, value]) => tag(using, type, value))
      for (const id of await this.#store.findObjects(this.#slot, isPrivate, tags))
        found.push({ id, isPrivate })
    }
    for (const object of builtInObjects.values())
      if (matches(object, template)) found.push({ id: object.id, isPrivate: false })
    return found
  }

  /** Gives an object new attributes; false where it was changed or destroyed meanwhile. */
  async change(
    object: CryptokiObject,
    attributes: Attributes,
    keys: TokenKeys | undefined,
  ): Promise<boolean> {
    const changed = { id: object.id, version: object.version + 1, attributes }
    this.forget(object.id)
    return this.#store.replaceObject(this.#slot, this.#record(changed, keys))
  }

  /** False where there was none. */
  async destroy(id: string): Promise<boolean> {
    this.forget(id)
    return this.#store.destroyObject(this.#slot, id)
  }

  forget(id: string): void {
    this.#open.delete(id)
  }

  /** A user logged out: what only a user may see is closed. */
  forgetPrivate(): void {
    for (const [id, object] of this.#open) if (isPrivateObject(object)) this.#open.delete(id)
  }

  forgetAll(): void {
    this.#open.clear()
  }

  #keep(object: CryptokiObject): void {
    this.#open.delete(object.id)
    this.#open.set(object.id, object)
    if (this.#open.size <= MOST_OPEN) return
    const oldest = this.#open.keys().next().value
    if (oldest !== undefined) this.#open.delete(oldest)
  }

  #keysFor(isPrivate: boolean, keys: TokenKeys | undefined): TokenKeys {
    if (!isPrivate) return this.#publicKeys
    if (keys === undefined) throw new TypeError('a private object without the keys of a user')
    return keys
  }

  #record(object: CryptokiObject, keys: TokenKeys | undefined): ObjectRecord {
    const isPrivate = isPrivateObject(object)
    const using = this.#keysFor(isPrivate, keys)
    const { id, version, attributes } = object
    const place = { serial: this.#serial, id, version, isPrivate }
    return {
      id,
      version,
      isPrivate,
      sealed: seal(using, place, serialise(attributes)),
      tags: Array.from(searchable(attributes, id), ([type, value]) => tag(using, type, value)),
    }
  }
}
