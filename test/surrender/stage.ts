/** A token, keys of known value and sessions for the rows of the suite. */
import assert from 'node:assert/strict'
import { createCipheriv, createHash, createHmac } from 'node:crypto'
import type { TestContext } from 'node:test'
import { type CallContext, dataOf, type MechanismArgument } from '../../src/standard/calls.ts'
import { CKA, CKF, CKG, CKK, CKM, CKO, CKP } from '../../src/standard/constants.ts'
import { bytes, type Opened, openToken, template } from '../in-process.ts'
import type { Row } from './row.ts'

type Call = Opened['call']

/** The label of every token object that a row makes. */
export const MADE = 'made by a row'

export const SHORT = Buffer.from('sixteen bytes of')
/** Bytes that come to four steps of 1 MiB: three whole ones and one of a few blocks. */
export const LONG = Buffer.alloc((3 << 20) + 4096, 'thirty-two bytes of a long text.')

const AES_KEY = Buffer.alloc(16, 5)
const HMAC_KEY = Buffer.alloc(32, 7)
const IV = Buffer.alloc(12, 3)

export const mechanism = (
  type: number,
  parameter: MechanismArgument['parameter'] = null,
): MechanismArgument => ({ type, parameter })

export const SHA256 = mechanism(CKM.SHA256)
export const HMAC = mechanism(CKM.SHA256_HMAC)
export const ECB = mechanism(CKM.AES_ECB)
export const RSA = mechanism(CKM.RSA_PKCS)
export const GCM = mechanism(CKM.AES_GCM, {
  iv: IV,
  ivBits: 96,
  aad: Buffer.from('aad'),
  tagBits: 128,
})

/** What others make of the same keys and data. */
export const macOf = (message: Uint8Array) =>
  createHmac('sha256', HMAC_KEY).update(message).digest()

export const ecbOf = (plain: Uint8Array) =>
  createCipheriv('aes-128-ecb', AES_KEY, null).setAutoPadding(false).update(plain)

/** With the tag behind it, as C_Encrypt has it; the tag alone is the last 16 bytes. */
export function gcmOf(plain: Uint8Array, aad = 'aad'): Buffer {
  const cipher = createCipheriv('aes-128-gcm', AES_KEY, IV).setAAD(Buffer.from(aad))
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** The parameter of a message; `put` gets the tag that an encryption gives back. */
export const gcmMessage = (tag: Uint8Array = Buffer.alloc(16), put = (_tag: Uint8Array) => {}) => ({
  type: CKM.AES_GCM,
  parameter: {
    iv: IV,
    ivFixedBits: 0,
    ivGenerator: CKG.NO_GENERATE,
    tag,
    tagBits: 128,
  },
  answer: (values: { readonly tag?: unknown }) => {
    if (values.tag instanceof Uint8Array) put(Uint8Array.from(values.tag))
  },
})

export const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex')

/** An answer as it is compared and printed: long bytes by their hash. */
export function shown(answer: unknown): unknown {
  if (answer instanceof Uint8Array) return `${answer.length} bytes, ${sha256(answer)}`
  return Array.isArray(answer) ? answer.map(shown) : answer
}

type Pair = readonly [publicKey: number, privateKey: number]

export interface Keys {
  readonly aes: number
  readonly hmac: number
  readonly rsa: Pair
  readonly ec: Pair
  readonly slhDsa: Pair
  readonly mlKem: Pair
  /** A signature of SHORT that holds it. */
  readonly recoverable: Uint8Array
}

const USES = { ENCRYPT: true, DECRYPT: true, SIGN: true, VERIFY: true, WRAP: true, UNWRAP: true }

const secretKey = (call: Call, session: number, keyType: number, value: Buffer) =>
  call('C_CreateObject', [
    session,
    template({
      CLASS: CKO.SECRET_KEY,
      KEY_TYPE: keyType,
      VALUE: value,
      SENSITIVE: false,
      EXTRACTABLE: true,
      DERIVE: true,
      ...USES,
    }),
  ])

type Named = Parameters<typeof template>[0]

export const P256 = { EC_PARAMS: Buffer.from('06082a8648ce3d030107', 'hex') }

const pair = (
  call: Call,
  session: number,
  type: number,
  publicKey: Named,
  privateKey: Named = {},
): Promise<Pair> =>
  call('C_GenerateKeyPair', [session, mechanism(type), template(publicKey), template(privateKey)])

async function makeKeys({ call, session }: Opened): Promise<Keys> {
  const rsa = await pair(
    call,
    session,
    CKM.RSA_PKCS_KEY_PAIR_GEN,
    { MODULUS_BITS: 1024, VERIFY: true, VERIFY_RECOVER: true, ENCAPSULATE: true },
    { SIGN: true, SIGN_RECOVER: true, DECAPSULATE: true },
  )
  await call('C_SignRecoverInit', [session, RSA, rsa[1]])
  return {
    aes: await secretKey(call, session, CKK.AES, AES_KEY),
    hmac: await secretKey(call, session, CKK.GENERIC_SECRET, HMAC_KEY),
    rsa,
    ec: await pair(call, session, CKM.EC_KEY_PAIR_GEN, P256),
    slhDsa: await pair(call, session, CKM.SLH_DSA_KEY_PAIR_GEN, {
      PARAMETER_SET: CKP.SLH_DSA_SHA2_128F,
    }),
    mlKem: await pair(call, session, CKM.ML_KEM_KEY_PAIR_GEN, {
      PARAMETER_SET: CKP.ML_KEM_512,
    }),
    recoverable: bytes(await call('C_SignRecover', [session, dataOf(SHORT), 128])),
  }
}

/** A session of its own, in which a row's function is called. */
export interface Scene {
  readonly session: number
  readonly call: Call
  readonly keys: Keys
  /** Another session of the same application. */
  readonly other: number
  readonly slot: number
}

export class Stage {
  readonly #opened: Opened
  readonly #keys: Keys
  readonly #known = new Map<unknown, Promise<unknown>>()

  private constructor(opened: Opened, keys: Keys) {
    this.#opened = opened
    this.#keys = keys
  }

  /** With interval 0: a callback at every point. */
  static async open(t: TestContext): Promise<Stage> {
    const opened = await openToken(t, 0)
    return new Stage(opened, await makeKeys(opened))
  }

  /** Does something in a session of its own, and removes what it made. */
  async scene<T>(act: (scene: Scene) => Promise<T>, notifies = true): Promise<T> {
    const { call, slot, session: other } = this.#opened
    const flags = CKF.SERIAL_SESSION | CKF.RW_SESSION
    const session = await call('C_OpenSession', [slot, flags, notifies])
    try {
      return await act({ session, call, keys: this.#keys, other, slot })
    } finally {
      await call('C_CloseSession', [session])
      for (const handle of await this.#found({ LABEL: MADE }))
        await call('C_DestroyObject', [other, handle])
    }
  }

  /** How many objects the application sees, of the token and of all sessions. */
  async objects(): Promise<number> {
    return (await this.#found({})).length
  }

  /** What a row comes to where nobody is called back. */
  expected(row: Row): Promise<unknown> {
    const notify = () => assert.fail('called back in a session that has no callback')
    return this.once(row, (scene) => perform(row, scene, { notify }), false)
  }

  /** Does something in a session of its own the first time it is asked for by this key. */
  once(key: unknown, act: (scene: Scene) => Promise<unknown>, notifies = true): Promise<unknown> {
    const known = this.#known.get(key) ?? this.scene(act, notifies)
    this.#known.set(key, known)
    return known
  }

  async #found(values: Named): Promise<readonly number[]> {
    const { call, session } = this.#opened
    await call('C_FindObjectsInit', [session, template(values)])
    const handles = await call('C_FindObjects', [session, 1000])
    await call('C_FindObjectsFinal', [session])
    return handles
  }
}

/** Begins what the row's function goes on with, calls it, and answers what tells that it did its work. */
export async function perform(row: Row, scene: Scene, context?: CallContext): Promise<unknown> {
  await row.begin(scene)
  const answer = await row.call(scene, context)
  return shown(await row.result(scene, answer))
}

/** The value of an attribute of an object. */
export async function attributeOf({ call, session }: Scene, handle: number, type: number) {
  const query = [{ type, room: 4096 }]
  const { answers } = await call('C_GetAttributeValue', [session, handle, query])
  return answers[0]?.value
}

export const secretOf = (scene: Scene, handle: number) => attributeOf(scene, handle, CKA.VALUE)
