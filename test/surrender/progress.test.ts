/** What callbacks are told of how far a function is, through the C_ functions. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallContext, Parameter } from '../../src/standard/calls.ts'
import { CKF, CKK, CKM, CKP, CKR, CKZ } from '../../src/standard/constants.ts'
import type { Notify, Progress } from '../../src/standard/progress.ts'
import { answers, data, type Opened, openToken, template } from '../in-process.ts'
import { mechanism } from './stage.ts'

/** Gathers what callbacks are told. */
function gathering() {
  const told: Progress[] = []
  const notify: Notify = (_event, progress) => {
    told.push(progress)
    return CKR.OK
  }
  return { told, context: { notify } }
}

const donesOf = (told: readonly Progress[]): number[] =>
  told.flatMap(({ done }) => (done === undefined ? [] : [done]))

function assertRises(numbers: readonly number[]): void {
  assert.deepEqual(
    numbers,
    numbers.toSorted((one, other) => one - other),
  )
}

const MIB = 1 << 20

test('data is told by bytes', async (t) => {
  const { call, session } = await openToken(t, 0)
  const { told, context } = gathering()
  await call('C_DigestInit', [session, mechanism(CKM.SHA256)])
  await call('C_Digest', [session, data(Buffer.alloc(4 * MIB)), 32], context)
  assert.deepEqual(donesOf(told), [0, 0.25, 0.5, 0.75])
  assertRises(told.map(({ elapsed }) => elapsed))
})

test('random bytes are told by bytes', async (t) => {
  const { call, session } = await openToken(t, 0)
  const { told, context } = gathering()
  await call('C_GenerateRandom', [session, 2 * MIB], context)
  assert.deepEqual(donesOf(told), [0, 0.5])
})

test('a message that is gathered first does not begin again', async (t) => {
  const { call, session } = await openToken(t, 0)
  const { told, context } = gathering()
  const pair = [template({ EC_PARAMS: Buffer.from('06032b6570', 'hex') }), template({})] as const
  const [, key] = await call('C_GenerateKeyPair', [
    session,
    mechanism(CKM.EC_EDWARDS_KEY_PAIR_GEN),
    ...pair,
  ])
  await call('C_SignInit', [session, mechanism(CKM.EDDSA), key])
  await call('C_Sign', [session, data(Buffer.alloc(4 * MIB)), 64], context)
  assert.ok(donesOf(told).length > 4)
  assertRises(donesOf(told))
})

test('several keys of one derivation are told as one work', async (t) => {
  const { call, session } = await openToken(t, 0)
  const made = template({ KEY_TYPE: CKK.GENERIC_SECRET, VALUE_LEN: 64, DERIVE: true })
  const generate = mechanism(CKM.GENERIC_SECRET_KEY_GEN)
  const base = await call('C_GenerateKey', [session, generate, made])
  const counter = Buffer.alloc(16)
  counter.writeBigUInt64LE(32n, 8)
  const other = { key: 0, template: made }
  const parameter: Parameter = {
    prfType: CKM.SHA256_HMAC,
    dataParams: [{ type: 1, value: counter }],
    additionalDerivedKeys: [other, other, other],
  }
  const { told, context } = gathering()
  const derive = { type: CKM.SP800_108_COUNTER_KDF, parameter, answer: () => {} }
  await call('C_DeriveKey', [session, derive, base, made], context)
  assert.deepEqual(donesOf(told), [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1])
})

/** PBKDF2 with SHA-256, of so many iterations for 32 bytes. */
const fromPassword = (
  { call, session }: Opened,
  iterations: number,
  context?: CallContext,
): Promise<number> => {
  const parameter = {
    saltSource: CKZ.SALT_SPECIFIED,
    saltSourceData: Buffer.from('salt'),
    iterations,
    prf: CKP.PKCS5_PBKD2_HMAC_SHA256,
    prfData: Buffer.alloc(0),
    password: Buffer.from('password'),
  }
  const made = template({ KEY_TYPE: CKK.GENERIC_SECRET, VALUE_LEN: 32 })
  return call('C_GenerateKey', [session, mechanism(CKM.PKCS5_PBKD2, parameter), made], context)
}

test('iterations are told as a fraction that rises to the end', async (t) => {
  const opened = await openToken(t, 20)
  const { told, context } = gathering()
  await fromPassword(opened, 8_000_000, context)
  const dones = donesOf(told)
  assertRises(dones)
  assert.ok(dones.length > 10, `${dones.length} of ${told.length} callbacks`)
  assert.ok(dones.every((done) => done >= 0 && done < 1))
  // An estimate: half of the time is told as something like half.
  const middle = dones[dones.length >> 1] as number
  assert.ok(middle > 0.2 && middle < 0.8, `${middle} in the middle`)
})

const MANY = 2 ** 32 - 1

test('so are those of an asynchronous session, where its operations are listed', async (t) => {
  const opened = await openToken(t, 0)
  const { library, call } = opened
  const flags = CKF.SERIAL_SESSION | CKF.RW_SESSION | CKF.ASYNC_SESSION
  const session = await call('C_OpenSession', [0, flags, false])
  await assert.rejects(fromPassword({ ...opened, session }, MANY), answers('PENDING'))
  let done: number | undefined
  while (!done) {
    done = (await library.operations())[0]?.progress?.done
    await sleep(5)
  }
  assert.ok(done < 0.5, `${done}`)
  await call('C_CloseSession', [session])
})

const generate = (
  { call, session }: Opened,
  bits: number,
  context: CallContext,
): Promise<readonly number[]> =>
  call(
    'C_GenerateKeyPair',
    [session, mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN), template({ MODULUS_BITS: bits }), template({})],
    context,
  )

/** What generations of a key pair of so many bits were told, one after another. */
async function generations(t: TestContext, bits: readonly number[]) {
  const opened = await openToken(t, 0)
  const all: Progress[][] = []
  for (const size of bits) {
    const { told, context } = gathering()
    await generate(opened, size, context)
    all.push(told)
  }
  return all
}

test('primes are told by the time since the function began, and by what the same took before', async (t) => {
  const [first = [], other = [], second = []] = await generations(t, [3072, 2048, 3072])
  assert.deepEqual(donesOf([...first, ...other, ...second]), [])
  assertRises(first.map(({ elapsed }) => elapsed))
  assert.ok([...first, ...other].every(({ usual }) => usual === undefined))
  const { usual } = second.at(-1) as Progress
  const took = first.at(-1)?.elapsed as number
  assert.ok(usual !== undefined && usual > 0 && usual < took + 5000, `${usual} ms after ${took}`)
})
