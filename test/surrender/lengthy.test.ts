/** What runs in worker processes, through the C_ functions: CKR_CANCEL leaves no process and no object. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { lengthy } from '../../src/engine/lengthy.ts'
import type { CallContext } from '../../src/standard/calls.ts'
import { CKK, CKM, CKP, CKR, CKZ } from '../../src/standard/constants.ts'
import { endWarmWorkers } from '../../src/surrender/workers.ts'
import { answers, data, type Opened, openToken, template } from '../in-process.ts'
import { becomes } from '../processes/observing.ts'
import { childrenOf } from '../service.ts'
import { mechanism } from './stage.ts'

type Named = Parameters<typeof template>[0]

const LASTING = { TOKEN: true } as const

/** SLH-DSA-SHA2-256s is among the slowest; 128f among the fastest, where only the message is long. */
const SLOW = { PARAMETER_SET: CKP.SLH_DSA_SHA2_256S }
const FAST = { PARAMETER_SET: CKP.SLH_DSA_SHA2_128F }
const SIGNATURE_OF_FAST = Buffer.alloc(17_088, 1)

const pair = (
  { call, session }: Opened,
  type: number,
  publicKey: Named,
  context?: CallContext,
): Promise<readonly number[]> =>
  call(
    'C_GenerateKeyPair',
    [session, mechanism(type), template(publicKey), template(LASTING)],
    context,
  )

const generates =
  (
    type: number,
    values: Named,
    parameter: Parameters<typeof mechanism>[1] = null,
  ): Lengthy['call'] =>
  ({ call, session }, context) => {
    const made = template({ ...LASTING, ...values })
    return call('C_GenerateKey', [session, mechanism(type, parameter), made], context)
  }

interface Lengthy {
  begin?(opened: Opened): Promise<unknown>
  call(opened: Opened, context: CallContext): Promise<unknown>
}

const beginSlhDsa =
  (name: 'C_SignInit' | 'C_VerifyInit', set: Named) =>
  async (opened: Opened): Promise<unknown> => {
    const [publicKey, privateKey] = await pair(opened, CKM.SLH_DSA_KEY_PAIR_GEN, set)
    const key = name === 'C_SignInit' ? privateKey : publicKey
    return opened.call(name, [opened.session, mechanism(CKM.SLH_DSA), key as number])
  }

/** One of each function of engine/lengthy.ts that takes long. */
const rows: Readonly<Record<string, Lengthy>> = {
  generateRsaKeyPair: {
    call: (opened, context) =>
      pair(opened, CKM.RSA_PKCS_KEY_PAIR_GEN, { ...LASTING, MODULUS_BITS: 16384 }, context),
  },
  generateDsaParameters: { call: generates(CKM.DSA_PARAMETER_GEN, { PRIME_BITS: 3072 }) },
  generateDsaPrimes: {
    call: generates(
      CKM.DSA_PROBABILISTIC_PARAMETER_GEN,
      { PRIME_BITS: 3072 },
      { hash: CKM.SHA256, seed: Buffer.alloc(32), index: 0 },
    ),
  },
  generateDhParameters: { call: generates(CKM.DH_PKCS_PARAMETER_GEN, { PRIME_BITS: 8192 }) },
  generateX942Parameters: {
    call: generates(CKM.X9_42_DH_PARAMETER_GEN, { PRIME_BITS: 8192, SUBPRIME_BITS: 256 }),
  },
  generateSlhDsaKeyPair: {
    call: (opened, context) =>
      pair(opened, CKM.SLH_DSA_KEY_PAIR_GEN, { ...LASTING, ...SLOW }, context),
  },
  signSlhDsa: {
    begin: beginSlhDsa('C_SignInit', SLOW),
    call: ({ call, session }, context) =>
      call('C_Sign', [session, data('a message'), 30_000], context),
  },
  verifySlhDsa: {
    begin: beginSlhDsa('C_VerifyInit', FAST),
    call: ({ call, session }, context) =>
      call('C_Verify', [session, data(Buffer.alloc(32 << 20)), SIGNATURE_OF_FAST], context),
  },
  deriveFromPassword: {
    call: generates(
      CKM.PKCS5_PBKD2,
      { KEY_TYPE: CKK.GENERIC_SECRET, VALUE_LEN: 32 },
      {
        saltSource: CKZ.SALT_SPECIFIED,
        saltSourceData: Buffer.from('salt'),
        iterations: 2 ** 32 - 1,
        prf: CKP.PKCS5_PBKD2_HMAC_SHA256,
        prfData: Buffer.alloc(0),
        password: Buffer.from('password'),
      },
    ),
  },
}

const workers = () => childrenOf(process.pid)

async function noWorkers(): Promise<void> {
  endWarmWorkers()
  assert.ok(await becomes(() => workers().length === 0), 'a warm worker stays')
}

async function objects({ call, session }: Opened): Promise<number> {
  await call('C_FindObjectsInit', [session, []])
  const handles = await call('C_FindObjects', [session, 100])
  await call('C_FindObjectsFinal', [session])
  return handles.length
}

/** Cancels at the first callback of all, or at the `at`th one that comes while there is a worker. */
function cancelling(at: number) {
  const seen = new Set<number>()
  let callbacks = 0
  const notify = () => {
    const alive = workers()
    for (const pid of alive) seen.add(pid)
    if (at > 0 && alive.length === 0) return CKR.OK
    return ++callbacks >= at ? CKR.CANCEL : CKR.OK
  }
  return { seen, notify }
}

async function cancelled(opened: Opened, { begin, call }: Lengthy, at: number): Promise<void> {
  await begin?.(opened)
  await noWorkers()
  const before = await objects(opened)
  const { seen, notify } = cancelling(at)
  await assert.rejects(call(opened, { notify }), answers('FUNCTION_CANCELED'))
  assert.equal(seen.size, at === 0 ? 0 : 1, 'it works in one worker process')
  assert.ok(await becomes(() => workers().length === 0), 'a worker stays')
  assert.equal(await objects(opened), before)
}

test('there is a row for everything that runs in a worker', () => {
  for (const name of Object.keys(lengthy)) assert.ok(name in rows, name)
})

for (const [name, row] of Object.entries(rows).filter(([name]) => name in lengthy))
  test(`${name} leaves no worker process and no object when it is cancelled`, async (t: TestContext) => {
    const opened = await openToken(t, 0)
    for (const at of [0, 1, 3]) await cancelled(opened, row, at)
  })
