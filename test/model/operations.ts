/** Rules of the operations: their life, and the output of 5.2. PKCS #11 3.2, 5.8 to 5.15. */
import assert from 'node:assert/strict'
import {
  type Data,
  dataOf,
  type Filled,
  type MechanismArgument,
  type Room,
} from '../../src/standard/calls.ts'
import { CKA } from '../../src/standard/constants.ts'
import {
  done,
  type Expectation,
  grant,
  type ModelSession,
  onSession,
  type Rules,
  refuse,
  unless,
} from './model.ts'
import type { ModelObject } from './object.ts'
import { isEcdsa, type Kind, ModelOperation, mechanisms, type Step, USAGE } from './operation.ts'

const bytesOf = (data: Data) => data.read(0, data.length) as Uint8Array

/** What is wrong with a key; its type comes before its use (5.1.7). */
function wrongKey(key: ModelObject | undefined, kind: Exclude<Kind, 'digest'>, keyType: number) {
  const inconsistent = key?.isKey === true && key.keyType !== keyType
  return {
    KEY_HANDLE_INVALID: !key?.isKey,
    KEY_TYPE_INCONSISTENT: inconsistent,
    KEY_FUNCTION_NOT_PERMITTED: key?.isKey === true && !inconsistent && !key.is(USAGE[kind]),
  }
}

/** An Init function. Ours: where an operation of the kind is active nothing else is looked at. */
function begin(
  session: ModelSession,
  kind: Kind,
  argument: MechanismArgument | null,
  handle = 0,
): Expectation<undefined> {
  if (session.operations.has(kind)) return refuse('OPERATION_ACTIVE')
  const { type, parameter: given } = argument as MechanismArgument
  const mechanism = mechanisms.find((one) => one.type === type)
  if (!mechanism?.kinds.includes(kind)) return refuse('MECHANISM_INVALID')
  // A parameter of the model is plain bytes or nothing.
  const parameter = given instanceof Uint8Array ? given : new Uint8Array()
  const key = kind === 'digest' ? undefined : session.application.object(handle)
  const wrong = {
    MECHANISM_PARAM_INVALID: parameter.length !== mechanism.parameter,
    ...(kind === 'digest' ? {} : wrongKey(key, kind, mechanism.keyType as number)),
  }
  return unless(wrong, () => {
    const operation = new ModelOperation(kind, type, parameter, key)
    operation.awaitsLogin = key?.is(CKA.ALWAYS_AUTHENTICATE) ?? false
    session.operations.set(kind, operation)
    return done
  })
}

/** What a function must answer that works on an operation, and whether the operation is there afterwards. */
type Going<Answer> = Expectation<Answer> & { readonly goesOn: boolean }

const ending = <Answer>(expectation: Expectation<Answer>): Going<Answer> => ({
  ...expectation,
  goesOn: false,
})
const keeping = <Answer>(expectation: Expectation<Answer>): Going<Answer> => ({
  ...expectation,
  goesOn: true,
})

/** Works on the operation there is. Every error but a buffer too small ends it (5.2). */
function goOn<Answer>(
  session: ModelSession,
  kind: Kind,
  step: Step,
  next: (operation: ModelOperation) => Going<Answer>,
): Expectation<Answer> {
  const operation = session.operations.get(kind)
  if (operation === undefined) return refuse('OPERATION_NOT_INITIALIZED')
  const wrong = {
    USER_NOT_LOGGED_IN: operation.awaitsLogin,
    OPERATION_NOT_INITIALIZED: step === 'whole' && operation.updated,
  }
  let goesOn = false
  const expectation = unless(wrong, () => {
    const going = next(operation)
    goesOn = going.goesOn
    return going
  })
  if (!goesOn) session.operations.delete(kind)
  return expectation
}

/** The length is told, or told to be too little; the operation goes on. `most`: it may be estimated. */
const needs = (bytes: number, room: Room, most = bytes): Going<Filled> =>
  keeping({
    rv: [room === null ? 'OK' : 'BUFFER_TOO_SMALL'],
    take: (filled) => {
      assert.ok('needed' in filled, 'output came where only its length was asked')
      const { needed } = filled
      assert.ok(needed >= bytes && needed <= most, `${needed} is not from ${bytes} to ${most}`)
    },
  })

const gives = (bytes: Uint8Array): Expectation<Filled> =>
  grant((filled) => {
    assert.ok(filled instanceof Uint8Array, 'no output came')
    assert.equal(Buffer.from(filled).toString('hex'), Buffer.from(bytes).toString('hex'))
  })

/** C_Digest, C_DigestFinal, C_Sign, C_SignFinal. */
function summary(operation: ModelOperation, more: Uint8Array, room: Room): Going<Filled> {
  const length = operation.summaryLength
  if (room === null || room < length) return needs(length, room)
  const expected = operation.summary(more)
  if (expected !== null) return ending(gives(expected))
  const message = Buffer.concat([operation.message, more])
  return ending(
    grant((filled) => {
      assert.ok(filled instanceof Uint8Array && isEcdsa(message, filled), 'it is no signature')
    }),
  )
}

const NOTHING = new Uint8Array()

function update(operation: ModelOperation, data: Data): Going<undefined> {
  operation.message = Buffer.concat([operation.message, bytesOf(data)])
  operation.updated = true
  return keeping(done)
}

const summaries = (kind: 'digest' | 'sign') => ({
  whole: onSession((session, data: Data, room: Room) =>
    goOn(session, kind, 'whole', (operation) => summary(operation, bytesOf(data), room)),
  ),
  part: onSession((session, data: Data) =>
    goOn(session, kind, 'part', (operation) => update(operation, data)),
  ),
  last: onSession((session, room: Room) =>
    goOn(session, kind, 'last', (operation) => summary(operation, NOTHING, room)),
  ),
})

/** Ours: a result that waits is fetched by the function that made it, and by no other. */
function fetch({ waiting }: ModelOperation, step: Step, room: Room): Going<Filled> | undefined {
  if (waiting === undefined) return undefined
  if (waiting.step !== step) return keeping(refuse('OPERATION_ACTIVE'))
  const { result } = waiting
  return room === null || room < result.length ? needs(result.length, room) : ending(gives(result))
}

/** C_EncryptUpdate, C_DecryptUpdate. */
function cipherPart(operation: ModelOperation, data: Data, room: Room): Going<Filled> {
  const refused = fetch(operation, 'part', room)
  if (refused !== undefined) return refused
  const out = operation.part(bytesOf(data))
  if (room === null || room < out.length) return needs(out.length, room)
  operation.given += out.length
  update(operation, data)
  return keeping(gives(out))
}

/** C_Encrypt, C_EncryptFinal, C_Decrypt, C_DecryptFinal. */
function cipherEnd(
  operation: ModelOperation,
  more: Uint8Array,
  room: Room,
  step: Step,
): Going<Filled> {
  const fetched = fetch(operation, step, room)
  if (fetched !== undefined) return fetched
  const exact = operation.room(more.length)
  const result = operation.end(more)
  const most = operation.message.length + more.length
  if (exact !== undefined && (room === null || room < exact)) return needs(exact, room)
  if (room === null) return needs(typeof result === 'string' ? 0 : result.length, room, most)
  if (typeof result === 'string') return ending(refuse(result))
  if (room >= result.length) return ending(gives(result))
  operation.waiting = { result, step }
  return needs(result.length, room)
}

const ciphers = (kind: 'encrypt' | 'decrypt') => ({
  whole: onSession((session, data: Data, room: Room) =>
    goOn(session, kind, 'whole', (operation) => cipherEnd(operation, bytesOf(data), room, 'whole')),
  ),
  part: onSession((session, data: Data, room: Room) =>
    goOn(session, kind, 'part', (operation) => cipherPart(operation, data, room)),
  ),
  last: onSession((session, room: Room) =>
    goOn(session, kind, 'last', (operation) => cipherEnd(operation, NOTHING, room, 'last')),
  ),
})

/** The four functions of 5.17: the other operation goes over the plaintext. An error ends both. */
const dual = (cipherKind: 'encrypt' | 'decrypt', otherKind: 'digest' | 'sign' | 'verify') =>
  onSession((session, data: Data, room: Room): Expectation<Filled> => {
    const cipher = session.operations.get(cipherKind)
    const other = session.operations.get(otherKind)
    const both = [cipher, other].flatMap((one) => (one === undefined ? [] : [one]))
    const wrong = {
      OPERATION_NOT_INITIALIZED: both.length < 2,
      USER_NOT_LOGGED_IN: both.some(({ awaitsLogin }) => awaitsLogin),
    }
    const expectation = unless(wrong, () => dualPart(both as TwoOperations, data, room))
    if (wrong.OPERATION_NOT_INITIALIZED || wrong.USER_NOT_LOGGED_IN)
      for (const { kind } of both) session.operations.delete(kind)
    return expectation
  })

type TwoOperations = [cipher: ModelOperation, other: ModelOperation]

function dualPart([cipher, other]: TwoOperations, data: Data, room: Room): Expectation<Filled> {
  if (cipher.waiting !== undefined) return refuse('OPERATION_ACTIVE')
  const out = cipher.part(bytesOf(data))
  const expectation = cipherPart(cipher, data, room)
  if (room !== null && room >= out.length)
    update(other, cipher.kind === 'encrypt' ? data : dataOf(out))
  return expectation
}

/** C_Verify, C_VerifyFinal: over either way. */
function verification(
  operation: ModelOperation,
  more: Uint8Array,
  signature: Uint8Array | null,
): Going<undefined> {
  const rv = operation.verified(more, signature as Uint8Array)
  return ending(rv === 'OK' ? done : refuse(rv))
}

const digesting = summaries('digest')
const signing = summaries('sign')
const encryption = ciphers('encrypt')
const decryption = ciphers('decrypt')

export const operationRules = {
  C_DigestInit: onSession((session, mechanism) => begin(session, 'digest', mechanism)),
  C_Digest: digesting.whole,
  C_DigestUpdate: digesting.part,
  C_DigestFinal: digesting.last,

  C_SignInit: onSession((session, mechanism, key) => begin(session, 'sign', mechanism, key)),
  C_Sign: signing.whole,
  C_SignUpdate: signing.part,
  C_SignFinal: signing.last,

  C_EncryptInit: onSession((session, mechanism, key) => begin(session, 'encrypt', mechanism, key)),
  C_Encrypt: encryption.whole,
  C_EncryptUpdate: encryption.part,
  C_EncryptFinal: encryption.last,

  C_DecryptInit: onSession((session, mechanism, key) => begin(session, 'decrypt', mechanism, key)),
  C_Decrypt: decryption.whole,
  C_DecryptUpdate: decryption.part,
  C_DecryptFinal: decryption.last,

  C_DigestEncryptUpdate: dual('encrypt', 'digest'),
  C_DecryptDigestUpdate: dual('decrypt', 'digest'),
  C_SignEncryptUpdate: dual('encrypt', 'sign'),
  C_DecryptVerifyUpdate: dual('decrypt', 'verify'),

  C_VerifyInit: onSession((session, mechanism, key) => begin(session, 'verify', mechanism, key)),
  C_Verify: onSession((session, data, signature) =>
    goOn(session, 'verify', 'whole', (operation) =>
      verification(operation, bytesOf(data), signature),
    ),
  ),
  C_VerifyUpdate: onSession((session, data) =>
    goOn(session, 'verify', 'part', (operation) => update(operation, data)),
  ),
  C_VerifyFinal: onSession((session, signature) =>
    goOn(session, 'verify', 'last', (operation) => verification(operation, NOTHING, signature)),
  ),
} satisfies Rules
