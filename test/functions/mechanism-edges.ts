/**
 * What every advertised (mechanism, flag) pair does at its edges: keys, parameters, lengths and
 * buffers that do not fit. All of it follows from the table; what differs is told in the data below.
 */
import assert from 'node:assert/strict'
import { parameterFor } from '../../src/mechanisms/parameter.ts'
import type { MechanismFor, Use } from '../../src/mechanisms/table.ts'
import type { MechanismArgument, Parameter } from '../../src/standard/calls.ts'
import { CKK, CKM, CKO, CKR } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import { type ParameterUse, structureFields } from '../../src/standard/layouts.ts'
import { answers, bytes, data, type Opened, template } from '../in-process.ts'

export interface EdgeTrial {
  readonly token: Opened
  readonly row: MechanismFor<Use>
  readonly use: Use
  /** With a parameter that fits. */
  readonly mechanism: MechanismArgument
  /** That the use works with; a key of a type that it does not work with. */
  readonly key: number
  readonly wrongKey: number
  /** Of an inverse use. */
  readonly inverse: number
  /** A message that can be signed and encrypted. */
  readonly message: Uint8Array
}

interface Edge {
  readonly name: string
  /** Uses that have this edge; all where it is absent. */
  readonly uses?: readonly Use[]
  readonly fits?: (trial: EdgeTrial) => boolean
  run(trial: EdgeTrial): Promise<void>
}

type Name = keyof typeof CKR

const ROOM = 20_000
const NOTHING = Buffer.alloc(0)

/** Ciphertexts that are numbers: what is cut is another one. */
const NUMBERS: ReadonlySet<string> = new Set(['DH_PKCS_DERIVE'])

/** A plain parameter that may have other lengths: public values, passwords, labels. */
const OF_ANY_LENGTH = /DH_PKCS_DERIVE|PBE|PBA/

const SECRET = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.GENERIC_SECRET, VALUE_LEN: 32 } as const

const fails = (work: Promise<unknown>, ...names: readonly Name[]) =>
  assert.rejects(work, (error) => {
    const { rv } = error as CryptokiError
    if (error instanceof CryptokiError && names.some((name) => CKR[name] === rv)) return true
    throw error
  })

const GENERIC = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.GENERIC_SECRET } as const

const plainKey = ({ call, session }: Opened) =>
  call('C_CreateObject', [
    session,
    template({ ...GENERIC, EXTRACTABLE: true, VALUE: Buffer.alloc(32, 9) }),
  ])

type Begin = (token: Opened, mechanism: MechanismArgument | null, key: number) => Promise<unknown>

/** The function that first takes the mechanism and the key of a use. */
const begin: Record<Use, Begin> = {
  encrypt: ({ call, session }, how, key) => call('C_EncryptInit', [session, how, key]),
  decrypt: ({ call, session }, how, key) => call('C_DecryptInit', [session, how, key]),
  digest: ({ call, session }, how) => call('C_DigestInit', [session, how]),
  sign: ({ call, session }, how, key) => call('C_SignInit', [session, how, key]),
  verify: ({ call, session }, how, key) => call('C_VerifyInit', [session, how, key]),
  signRecover: ({ call, session }, how, key) => call('C_SignRecoverInit', [session, how, key]),
  verifyRecover: ({ call, session }, how, key) => call('C_VerifyRecoverInit', [session, how, key]),
  generateKey: ({ call, session }, how) => call('C_GenerateKey', [session, how, []]),
  generateKeyPair: ({ call, session }, how) => call('C_GenerateKeyPair', [session, how, [], []]),
  wrap: async (token, how, key) =>
    token.call('C_WrapKey', [token.session, how, key, await plainKey(token), ROOM]),
  unwrap: ({ call, session }, how, key) =>
    call('C_UnwrapKey', [session, how, key, Buffer.alloc(64), template(SECRET)]),
  derive: ({ call, session }, how, key) =>
    call('C_DeriveKey', [session, how, key, template({ ...SECRET, VALUE_LEN: 16 })]),
  encapsulate: ({ call, session }, how, key) =>
    call('C_EncapsulateKey', [session, how, key, template(SECRET), ROOM]),
  decapsulate: ({ call, session }, how, key) =>
    call('C_DecapsulateKey', [session, how, key, template(SECRET), Buffer.alloc(64)]),
  messageEncrypt: ({ call, session }, how, key) =>
    call('C_MessageEncryptInit', [session, how, key]),
  messageDecrypt: ({ call, session }, how, key) =>
    call('C_MessageDecryptInit', [session, how, key]),
  messageSign: ({ call, session }, how, key) => call('C_MessageSignInit', [session, how, key]),
  messageVerify: ({ call, session }, how, key) => call('C_MessageVerifyInit', [session, how, key]),
  wrapAuthenticated: async (token, how, key) =>
    token.call('C_WrapKeyAuthenticated', [
      token.session,
      how,
      key,
      await plainKey(token),
      NOTHING,
      ROOM,
    ]),
  unwrapAuthenticated: ({ call, session }, how, key) =>
    call('C_UnwrapKeyAuthenticated', [
      session,
      how,
      key,
      Buffer.alloc(32),
      template(GENERIC),
      NOTHING,
    ]),
}

const KEYLESS: readonly Use[] = ['digest', 'generateKey', 'generateKeyPair']
const isKeyed = ({ use }: EdgeTrial) => !KEYLESS.includes(use)

/** The return values for a key that is none, and one of another type, where a use has its own. */
const COMPLAINTS: Readonly<Partial<Record<Use, readonly [handle: Name, type: Name]>>> = {
  wrap: ['WRAPPING_KEY_HANDLE_INVALID', 'WRAPPING_KEY_TYPE_INCONSISTENT'],
  unwrap: ['UNWRAPPING_KEY_HANDLE_INVALID', 'UNWRAPPING_KEY_TYPE_INCONSISTENT'],
  decapsulate: ['UNWRAPPING_KEY_HANDLE_INVALID', 'UNWRAPPING_KEY_TYPE_INCONSISTENT'],
  wrapAuthenticated: ['WRAPPING_KEY_HANDLE_INVALID', 'WRAPPING_KEY_TYPE_INCONSISTENT'],
  unwrapAuthenticated: ['UNWRAPPING_KEY_HANDLE_INVALID', 'UNWRAPPING_KEY_TYPE_INCONSISTENT'],
}

const complaints = (use: Use) => COMPLAINTS[use] ?? ['KEY_HANDLE_INVALID', 'KEY_TYPE_INCONSISTENT']

const without = (parameter: Parameter, name: string): Parameter =>
  Object.fromEntries(Object.entries(parameter).filter(([field]) => field !== name))

/** Whose parameter a use takes, where it is not that of most. */
const PARAMETER_OF: Readonly<Partial<Record<Use, ParameterUse>>> = {
  wrap: 'wrap',
  unwrap: 'wrap',
  messageEncrypt: 'message',
  messageDecrypt: 'message',
  wrapAuthenticated: 'message',
  unwrapAuthenticated: 'message',
}

/** Parameters whose form is not that of the row. */
function wrongParameters({ row, mechanism: { parameter }, use }: EdgeTrial) {
  const wanted = parameterFor(row, PARAMETER_OF[use] ?? 'mechanism')
  if (wanted === undefined) return [Buffer.alloc(1), Buffer.alloc(16), { x: 1 }]
  // Of messages each brings its own parameter.
  if (use === 'messageEncrypt' || use === 'messageDecrypt') return [Buffer.alloc(3), { x: 1 }]
  const none = row.parameterOptional ? [] : [null, Buffer.alloc(0)]
  if (wanted !== 'bytes') {
    const whole = parameter === null || parameter instanceof Uint8Array ? {} : parameter
    const lacking = (structureFields(wanted) ?? []).map(({ name }) => without(whole, name))
    return [...none, Buffer.alloc(3), { x: 1 }, ...lacking]
  }
  if (!(parameter instanceof Uint8Array) || OF_ANY_LENGTH.test(row.name)) return [...none, { x: 1 }]
  const others = [parameter.length - 1, parameter.length + 1].map((length) =>
    Buffer.alloc(length, 1),
  )
  return [...none, { x: 1 }, ...others]
}

/** What a function that makes output is called with: how much room there is. */
type Making = (trial: EdgeTrial, room: number | null) => Promise<unknown>

const making: Readonly<Partial<Record<Use, Making>>> = {
  digest: ({ token: { call, session }, message }, room) =>
    call('C_Digest', [session, data(message), room]),
  sign: ({ token: { call, session }, message }, room) =>
    call('C_Sign', [session, data(message), room]),
  signRecover: ({ token: { call, session }, message }, room) =>
    call('C_SignRecover', [session, data(message), room]),
  encrypt: ({ token: { call, session }, message }, room) =>
    call('C_Encrypt', [session, data(message), room]),
}

const lengthOf = (filled: unknown): number => {
  const { length, image } = filled as { length?: number; image?: Uint8Array }
  return length ?? image?.length ?? Number.NaN
}

const SHORT_SIGNATURE: readonly Name[] = ['SIGNATURE_LEN_RANGE', 'SIGNATURE_INVALID']

/** The signature of the message by the inverse key; of an OTP its value, behind what tells of it. */
async function signatureOf({ token, mechanism, inverse, message }: EdgeTrial): Promise<Uint8Array> {
  const { call, session } = token
  await call('C_SignInit', [session, mechanism, inverse])
  const filled = await call('C_Sign', [session, data(message), ROOM])
  return 'image' in filled ? filled.image.subarray(88, 94) : bytes(filled)
}

/** One byte less, one byte more, and none. */
const mangled = (whole: Uint8Array): Uint8Array[] => [
  whole.subarray(0, whole.length - 1),
  Buffer.concat([whole, Buffer.of(1)]),
  Buffer.alloc(0),
]

const BAD_LENGTH: readonly Name[] = ['DATA_LEN_RANGE', 'DATA_INVALID']
const BAD_CIPHERTEXT: readonly Name[] = ['ENCRYPTED_DATA_LEN_RANGE', 'ENCRYPTED_DATA_INVALID']
const BAD_WRAPPED: readonly Name[] = ['WRAPPED_KEY_LEN_RANGE', 'WRAPPED_KEY_INVALID']

/** Lengths around the blocks of 8 and 16 bytes, and the lengths of no block at all. */
const AROUND_BLOCKS = [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33]

/** What came of it, or undefined where it was refused with one of these. */
async function orRefused<T>(work: Promise<T>, names: readonly Name[]): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof CryptokiError && names.some((name) => CKR[name] === error.rv))
      return undefined
    throw error
  }
}

const encrypted = async ({ token, mechanism }: EdgeTrial, key: number, plain: Uint8Array) => {
  const { call, session } = token
  await call('C_EncryptInit', [session, mechanism, key])
  return bytes(await call('C_Encrypt', [session, data(plain), ROOM]))
}

async function inParts({ token, mechanism }: EdgeTrial, key: number, plain: Uint8Array) {
  const { call, session } = token
  await call('C_EncryptInit', [session, mechanism, key])
  const parts: Uint8Array[] = []
  for (const byte of plain)
    parts.push(bytes(await call('C_EncryptUpdate', [session, data(Uint8Array.of(byte)), ROOM])))
  parts.push(bytes(await call('C_EncryptFinal', [session, ROOM])))
  return Buffer.concat(parts)
}

const decrypted = async ({ token, mechanism }: EdgeTrial, key: number, input: Uint8Array) => {
  const { call, session } = token
  await call('C_DecryptInit', [session, mechanism, key])
  return bytes(await call('C_Decrypt', [session, data(input), ROOM]))
}

/** What it gives back ends with what went in: raw RSA puts zeros before it. */
const endsWith = (whole: Uint8Array, end: Uint8Array) =>
  Buffer.compare(whole.subarray(whole.length - end.length), end) === 0

async function encryptLength(trial: EdgeTrial, length: number): Promise<void> {
  const plain = Buffer.alloc(length, 3)
  const whole = await orRefused(encrypted(trial, trial.key, plain), BAD_LENGTH)
  const parts = await orRefused(inParts(trial, trial.key, plain), BAD_LENGTH)
  assert.equal(parts === undefined, whole === undefined, `${length} bytes whole and in parts`)
  if (whole === undefined || parts === undefined) return
  assert.equal(parts.length, whole.length)
  for (const ciphertext of [whole, parts])
    assert.ok(endsWith(await decrypted(trial, trial.inverse, ciphertext), plain), `${length} bytes`)
}

/** A stream or a counter has no length that is wrong: as much comes out as went in. */
async function decryptMangled(trial: EdgeTrial): Promise<void> {
  const ciphertext = await encrypted(trial, trial.inverse, trial.message)
  for (const input of mangled(ciphertext)) {
    const plain = await orRefused(decrypted(trial, trial.key, input), BAD_CIPHERTEXT)
    if (plain !== undefined) assert.equal(plain.length, input.length)
    await fails(
      trial.token.call('C_Decrypt', [trial.token.session, data(input), ROOM]),
      'OPERATION_NOT_INITIALIZED',
    )
  }
}

async function unwrapMangled({ token, mechanism, key, inverse }: EdgeTrial): Promise<void> {
  const { call, session } = token
  const wrapped = await call('C_WrapKey', [
    session,
    mechanism,
    inverse,
    await plainKey(token),
    ROOM,
  ])
  for (const input of mangled(bytes(wrapped)))
    await fails(
      call('C_UnwrapKey', [session, mechanism, key, input, template(SECRET)]),
      ...BAD_WRAPPED,
    )
}

async function decapsulateMangled({ token, mechanism, key, inverse, row }: EdgeTrial) {
  const { call, session } = token
  // Raw RSA makes secrets as long as its modulus.
  const secret = template(row.type === CKM.RSA_X_509 ? GENERIC : SECRET)
  const [ciphertext] = await call('C_EncapsulateKey', [session, mechanism, inverse, secret, ROOM])
  for (const input of mangled(bytes(ciphertext)).slice(NUMBERS.has(row.name) ? 1 : 0))
    await fails(call('C_DecapsulateKey', [session, mechanism, key, secret, input]), ...BAD_WRAPPED)
}

export const edges: readonly Edge[] = [
  {
    name: 'a mechanism must be given',
    run: ({ token, use, key }) => fails(begin[use](token, null, key), 'ARGUMENTS_BAD'),
  },
  {
    name: 'a key of another type, and none, are refused',
    fits: isKeyed,
    run: async ({ token, use, mechanism, wrongKey }) => {
      const [handle, type] = complaints(use)
      await fails(begin[use](token, mechanism, 0), handle)
      await fails(begin[use](token, mechanism, wrongKey), type)
    },
  },
  {
    name: 'a parameter of another form, and a missing one, are refused',
    run: async (trial) => {
      const { token, use, key } = trial
      for (const parameter of wrongParameters(trial))
        await fails(
          begin[use](token, { type: trial.mechanism.type, parameter }, key),
          'MECHANISM_PARAM_INVALID',
        ).catch((error: unknown) => {
          throw new Error(`with ${JSON.stringify(parameter)}`, { cause: error })
        })
    },
  },
  {
    name: 'a buffer that is too small is told the length, and the next one is filled',
    uses: Object.keys(making) as Use[],
    run: async (trial) => {
      const { token, use, mechanism, key } = trial
      const make = making[use] as Making
      await begin[use](token, mechanism, key)
      const { needed } = (await make(trial, null)) as { needed: number }
      assert.ok(needed > 0)
      assert.deepEqual(await make(trial, 0), { needed })
      const made = await make(trial, needed)
      assert.ok(lengthOf(made) <= needed)
      await assert.rejects(make(trial, needed), answers('OPERATION_NOT_INITIALIZED'))
    },
  },
  {
    name: 'an empty message is signed and verified, or refused for its length',
    uses: ['verify'],
    run: async (trial) => {
      const { token, mechanism, key } = trial
      const empty = { ...trial, message: Buffer.alloc(0) }
      const signature = await orRefused(signatureOf(empty), BAD_LENGTH)
      if (signature === undefined) return
      await token.call('C_VerifyInit', [token.session, mechanism, key])
      await token.call('C_Verify', [token.session, data(''), signature])
    },
  },
  {
    name: 'a signature that is cut, longer or empty is refused, and the operation is over',
    uses: ['verify'],
    run: async (trial) => {
      const { token, mechanism, key, message } = trial
      for (const signature of mangled(await signatureOf(trial))) {
        await token.call('C_VerifyInit', [token.session, mechanism, key])
        const verify = () => token.call('C_Verify', [token.session, data(message), signature])
        await fails(verify(), ...SHORT_SIGNATURE)
        await fails(verify(), 'OPERATION_NOT_INITIALIZED')
      }
    },
  },
  {
    name: 'a recoverable signature that is cut, longer or empty is refused; no bytes come back as such',
    uses: ['verifyRecover'],
    run: async ({ token: { call, session }, mechanism, key, inverse }) => {
      const recovered = async (signature: Uint8Array) => {
        await call('C_VerifyRecoverInit', [session, mechanism, key])
        return bytes(await call('C_VerifyRecover', [session, signature, ROOM]))
      }
      await call('C_SignRecoverInit', [session, mechanism, inverse])
      const empty = call('C_SignRecover', [session, data(''), ROOM])
      const signature = await orRefused(empty, BAD_LENGTH)
      if (signature === undefined) return
      assert.ok((await recovered(bytes(signature))).every((byte) => byte === 0))
      for (const wrong of mangled(bytes(signature)))
        await fails(recovered(wrong), ...SHORT_SIGNATURE)
    },
  },
  {
    name: 'lengths around blocks come back, or are refused whole and in parts alike',
    uses: ['encrypt'],
    run: async (trial) => {
      for (const length of AROUND_BLOCKS) await encryptLength(trial, length)
    },
  },
  {
    name: 'a ciphertext that is cut, longer or empty is refused, or comes out as long as it is',
    uses: ['decrypt'],
    run: decryptMangled,
  },
  {
    name: 'a wrapped key that is cut, longer or empty is refused',
    uses: ['unwrap'],
    run: unwrapMangled,
  },
  {
    name: 'an encapsulated key that is cut, longer or empty is refused',
    uses: ['decapsulate'],
    run: decapsulateMangled,
  },
]

/** The edges that a pair has. */
export const edgesOf = (trial: EdgeTrial): readonly Edge[] =>
  edges.filter(
    ({ uses, fits }) => (uses === undefined || uses.includes(trial.use)) && (fits?.(trial) ?? true),
  )
