/**
 * Sealing: how a token's secrets lie at rest. A PIN opens the root key; the root key opens the
 * objects and hides what they are searched by. Everything here is format 1, byte for byte:
 *
 *     Root key under a PIN, 91 bytes            Sealed value, 29 bytes more than the plain one
 *     at  size                                  at  size
 *      0   1  format, 1                          0   1  format, 1
 *      1   4  Argon2id memory, KiB, big-endian   1  12  nonce, random
 *      5   1  Argon2id passes                   13   n  the value, encrypted
 *      6   1  Argon2id lanes                   13+n 16  tag of AES-256-GCM
 *      7  16  salt, random
 *     23  12  nonce, random                     Tag of the blind index, 16 bytes
 *     35  32  the root key, encrypted            0  16  first half of HMAC-SHA-256(index key,
 *     67  16  tag of AES-256-GCM                        CKA_ number as 8 bytes big-endian, value)
 *     83   8  check: the first 8 bytes of SHA-256(associated data, bytes 23 to 82)
 *
 *     key-encryption key = Argon2id(PIN, salt), 32 bytes (RFC 9106)
 *     sealing key        = HKDF-SHA-256(root key, info "softoki 1 sealing key")
 *     index key          = HKDF-SHA-256(root key, info "softoki 1 index key")
 *     object key         = HKDF-SHA-256(sealing key, info "softoki 1 object key ID")
 *     associated data of a wrapped root key: "softoki 1 root key SERIAL so|user ", then bytes 0 to 22
 *     associated data of a sealed value: "softoki 1 object SERIAL ID VERSION private|public"
 *
 * Text is ASCII, ID and SERIAL are hexadecimal as in store.ts, VERSION is decimal. HKDF (RFC 5869)
 * has an empty salt: what goes in is uniformly random already.
 *
 * What this protects. Without a PIN nobody reads a private object, changes one unnoticed, or passes
 * one off as another, as an earlier version of itself under a new number, or as another token's. A
 * PIN can be guessed by who has a copy of the store, each guess at the price of one Argon2id: the
 * count of failures does not bind them. Public objects are readable without a PIN by definition of
 * the standard, so the key they are sealed with (TokenRecord.publicKey) stands beside them in the
 * clear: their seal finds damage and misplacement, and hides nothing and stops no forger.
 *
 * What it does not protect. Who may write the store can delete an object, or put back a whole
 * earlier record of it, version number included. A sealed value tells its length.
 */
import {
  argon2,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
} from 'node:crypto'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { PinOwner } from './store.ts'

const FORMAT = 1
const KEY_BYTES = 32
const SALT_BYTES = 16
const NONCE_BYTES = 12
const GCM_TAG_BYTES = 16
const CHECK_BYTES = 8
const INDEX_TAG_BYTES = 16

/** Where the parts of a wrapped root key begin. */
const AT = { memory: 1, passes: 5, lanes: 6, salt: 7, nonce: 23, sealed: 35, check: 83, end: 91 }
const NO_SALT = new Uint8Array(0)

/** What one try of a PIN costs. */
export interface PinCost {
  /** KiB of memory: 8 for each lane at least. */
  readonly memory: number
  readonly passes: number
  readonly lanes: number
}

/** OWASP's choice for Argon2id (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 lane. */
export const PIN_COST: PinCost = { memory: 19456, passes: 2, lanes: 1 }

/** The most that is accepted, so that a damaged store cannot take all memory: 1 GiB. */
const MOST: PinCost = { memory: 1 << 20, passes: 16, lanes: 16 }

/** What a wrapped root key is bound to. */
export interface PinContext {
  /** The token's serial number. */
  readonly serial: string
  readonly owner: PinOwner
}

/** What a sealed value is bound to: it opens in this place and in no other. */
export interface ObjectPlace {
  /** The token's serial number. */
  readonly serial: string
  /** CKA_UNIQUE_ID. */
  readonly id: string
  readonly version: number
  readonly isPrivate: boolean
}

const damaged = (detail: string, cause?: unknown) =>
  new CryptokiError(CKR.DEVICE_ERROR, detail, { cause })

/**
 * A key as node:crypto takes it at once: of bytes it finds out the hard way that they are no KeyObject,
 * which takes ten times as long as all else. It lasts as long as what uses it.
 */
const ready = createSecretKey

/** AES-256-GCM: ciphertext and tag (NIST SP 800-38D). */
function encrypt(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, plain: Uint8Array) {
  const cipher = createCipheriv('aes-256-gcm', ready(key), nonce, { authTagLength: GCM_TAG_BYTES })
  cipher.setAAD(associated)
  const body = cipher.update(plain)
  cipher.final()
  return { body, tag: cipher.getAuthTag() }
}

/** The plain text, or undefined where any of the four was not what it was when it was encrypted. */
function decrypt(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array) {
  const end = sealed.length - GCM_TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', ready(key), nonce, {
    authTagLength: GCM_TAG_BYTES,
  })
  decipher.setAAD(associated)
  decipher.setAuthTag(sealed.subarray(end))
  const plain = decipher.update(sealed.subarray(0, end))
  try {
    decipher.final()
    return plain
  } catch {
    plain.fill(0)
    return undefined
  }
}

const hkdf = (key: Uint8Array, info: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', ready(key), NO_SALT, info, KEY_BYTES))

/** A root key for a new token: 32 random bytes. The caller zeroes it. */
export const newRootKey = (): Uint8Array => randomBytes(KEY_BYTES)

/** The key-encryption key of a PIN, on the thread pool. The caller zeroes it. */
function keyOfPin(pin: Uint8Array, salt: Uint8Array, cost: PinCost): Promise<Uint8Array> {
  const { memory, passes, lanes: parallelism } = cost
  const parameters = { message: pin, nonce: salt, memory, passes, parallelism }
  return new Promise((resolve, reject) => {
    argon2('argon2id', { ...parameters, tagLength: KEY_BYTES }, (error, key) => {
      if (error === null) resolve(key)
      else reject(new CryptokiError(CKR.HOST_MEMORY, 'Argon2id failed', { cause: error }))
    })
  })
}

const withinBounds = ({ memory, passes, lanes }: PinCost): boolean =>
  passes >= 1 &&
  lanes >= 1 &&
  memory >= 8 * lanes &&
  memory <= MOST.memory &&
  passes <= MOST.passes &&
  lanes <= MOST.lanes

function associatedOfRootKey(head: Uint8Array, { serial, owner }: PinContext): Uint8Array {
  return Buffer.concat([Buffer.from(`softoki 1 root key ${serial} ${owner} `), head])
}

/**
 * Tells damage from a wrong PIN, which the tag of GCM cannot. It is no secret and stops no forger: a
 * forged root key does not open with the PIN.
 */
function checkOf(associated: Uint8Array, rest: Uint8Array): Uint8Array {
  return createHash('sha256').update(associated).update(rest).digest().subarray(0, CHECK_BYTES)
}

/**
 * The root key under a PIN of any bytes (4 to 255, which the caller checks). The cost is kept in the
 * result, so that it can be raised for new PINs while old ones still open.
 * Throws CKR_HOST_MEMORY where Argon2id does not get its memory.
 */
export async function wrapRootKey(
  rootKey: Uint8Array,
  pin: Uint8Array,
  context: PinContext,
  cost: PinCost = PIN_COST,
): Promise<Uint8Array> {
  if (!withinBounds(cost)) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'cost of a PIN out of bounds')
  const wrapped = Buffer.alloc(AT.end)
  wrapped.writeUInt8(FORMAT)
  wrapped.writeUInt32BE(cost.memory, AT.memory)
  wrapped.writeUInt8(cost.passes, AT.passes)
  wrapped.writeUInt8(cost.lanes, AT.lanes)
  wrapped.set(randomBytes(SALT_BYTES + NONCE_BYTES), AT.salt)
  const associated = associatedOfRootKey(wrapped.subarray(0, AT.nonce), context)
  const key = await keyOfPin(pin, wrapped.subarray(AT.salt, AT.nonce), cost)
  const nonce = wrapped.subarray(AT.nonce, AT.sealed)
  const { body, tag } = encrypt(key, nonce, associated, rootKey)
  key.fill(0)
  wrapped.set(body, AT.sealed)
  wrapped.set(tag, AT.sealed + KEY_BYTES)
  wrapped.set(checkOf(associated, wrapped.subarray(AT.nonce, AT.check)), AT.check)
  return wrapped
}

/** Throws CKR_DEVICE_ERROR unless the bytes are a root key wrapped for this context, undamaged. */
function inspectRootKey(wrapped: Buffer, context: PinContext) {
  const whose = `the root key of token ${context.serial} under the ${context.owner} PIN`
  if (wrapped.length > 0 && wrapped[0] !== FORMAT)
    throw damaged(`${whose} has format ${wrapped[0]}, this version of Softoki reads ${FORMAT}`)
  if (wrapped.length !== AT.end) throw damaged(`${whose} is damaged: ${wrapped.length} bytes`)
  const associated = associatedOfRootKey(wrapped.subarray(0, AT.nonce), context)
  const check = checkOf(associated, wrapped.subarray(AT.nonce, AT.check))
  if (!wrapped.subarray(AT.check).equals(check)) throw damaged(`${whose} is damaged or misplaced`)
  const cost = {
    memory: wrapped.readUInt32BE(AT.memory),
    passes: wrapped.readUInt8(AT.passes),
    lanes: wrapped.readUInt8(AT.lanes),
  }
  if (!withinBounds(cost)) throw damaged(`${whose} asks for too much work`)
  return { associated, cost }
}

/**
 * The root key again; undefined where the PIN is wrong. The caller zeroes it.
 * Throws CKR_DEVICE_ERROR where the wrapped key is damaged or another's, before the PIN is tried.
 */
export async function unwrapRootKey(
  wrapped: Uint8Array,
  pin: Uint8Array,
  context: PinContext,
): Promise<Uint8Array | undefined> {
  const bytes = Buffer.from(wrapped)
  const { associated, cost } = inspectRootKey(bytes, context)
  const key = await keyOfPin(pin, bytes.subarray(AT.salt, AT.nonce), cost)
  const nonce = bytes.subarray(AT.nonce, AT.sealed)
  const rootKey = decrypt(key, nonce, associated, bytes.subarray(AT.sealed, AT.check))
  key.fill(0)
  return rootKey
}

/**
 * The keys of a token's private objects (from its root key) or of its public ones (from
 * TokenRecord.publicKey). They live in memory until `destroy`, which overwrites them.
 */
export class TokenKeys {
  readonly #sealing: Uint8Array
  readonly #index: Uint8Array
  #destroyed = false

  /** From a root key of 32 bytes, which the caller may zero afterwards. */
  constructor(rootKey: Uint8Array) {
    this.#sealing = hkdf(rootKey, 'softoki 1 sealing key')
    this.#index = hkdf(rootKey, 'softoki 1 index key')
  }

  /**
   * The key of one object; the caller zeroes it. One key an object keeps the bound on random nonces
   * far away: 2^32 values under one key (SP 800-38D, 8.3) are then 2^32 changes of one object, not
   * all changes in the token's life. It costs 13 microseconds.
   */
  objectKey(id: string): Uint8Array {
    this.#mustLive()
    return hkdf(this.#sealing, `softoki 1 object key ${id}`)
  }

  /** HMAC-SHA-256 under the index key. */
  indexHmac(...parts: readonly Uint8Array[]): Uint8Array {
    this.#mustLive()
    const hmac = createHmac('sha256', ready(this.#index))
    for (const part of parts) hmac.update(part)
    return hmac.digest()
  }

  /** Overwrites the keys with zeros; whatever would use them afterwards is refused. */
  destroy(): void {
    this.#destroyed = true
    this.#sealing.fill(0)
    this.#index.fill(0)
  }

  #mustLive(): void {
    if (this.#destroyed)
      throw new CryptokiError(CKR.USER_NOT_LOGGED_IN, 'the keys of the token are gone from memory')
  }
}

const associatedOfObject = ({ serial, id, version, isPrivate }: ObjectPlace): Uint8Array =>
  Buffer.from(`softoki 1 object ${serial} ${id} ${version} ${isPrivate ? 'private' : 'public'}`)

/** Encrypts a value for one place. Throws CKR_USER_NOT_LOGGED_IN where the keys were destroyed. */
export function seal(keys: TokenKeys, place: ObjectPlace, plain: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const key = keys.objectKey(place.id)
  const { body, tag } = encrypt(key, nonce, associatedOfObject(place), plain)
  key.fill(0)
  return Buffer.concat([Uint8Array.of(FORMAT), nonce, body, tag])
}

/**
 * The value again; the caller zeroes it where it holds a secret. Throws CKR_DEVICE_ERROR where it was
 * damaged, or sealed for another place, and CKR_USER_NOT_LOGGED_IN where the keys were destroyed.
 */
export function open(keys: TokenKeys, place: ObjectPlace, sealed: Uint8Array): Uint8Array {
  const what = `object ${place.id} of token ${place.serial}`
  if (sealed.length < 1 + NONCE_BYTES + GCM_TAG_BYTES)
    throw damaged(`${what} is damaged: ${sealed.length} bytes`)
  if (sealed[0] !== FORMAT)
    throw damaged(`${what} has format ${sealed[0]}, this version of Softoki reads ${FORMAT}`)
  const key = keys.objectKey(place.id)
  const body = sealed.subarray(1 + NONCE_BYTES)
  const plain = decrypt(key, sealed.subarray(1, 1 + NONCE_BYTES), associatedOfObject(place), body)
  key.fill(0)
  if (plain === undefined) throw damaged(`${what} is damaged or misplaced`)
  return plain
}

/**
 * The tag that an attribute is searched by: 16 bytes. The same attribute with the same value has the
 * same tag in all objects of the token, so who reads the store sees how many objects share a value
 * and when they were made, and may guess at common values (CKA_CLASS) from how often they occur; they
 * cannot test a guess without the index key. For public objects they can. Never tag a secret value.
 * A tag is not sealed: who finds an object by tags compares the attributes once it is open.
 */
export function tag(keys: TokenKeys, attributeType: number, value: Uint8Array): Uint8Array {
  const type = Buffer.alloc(8)
  type.writeBigUInt64BE(BigInt.asUintN(64, BigInt(attributeType)))
  return keys.indexHmac(type, value).subarray(0, INDEX_TAG_BYTES)
}
