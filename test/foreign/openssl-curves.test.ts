/** Keys on elliptic curves, made here and used by the command openssl, and the other way. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Curve, curveIdentifier, curves, isCalled } from '../../src/engine/curves.ts'
import { DerReader, integer, sequence } from '../../src/engine/der.ts'
import { readEcPrivateKeyInfo } from '../../src/engine/ec.ts'
import {
  edwardsCurves,
  montgomeryCurves,
  type OctetCurve,
  readOctetPrivateKeyInfo,
} from '../../src/engine/octet-curves.ts'
import { padTo } from '../../src/engine/rsa.ts'
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKK, CKM } from '../../src/standard/constants.ts'
import { bytes, data, type Opened, openToken } from '../in-process.ts'
import {
  attributesOf,
  derived,
  pairOn,
  privateKeyOf,
  publicKeyOf,
} from '../mechanisms/curve-keys.ts'
import {
  environmentWith,
  type Runner,
  runner,
  type Scope,
  temporaryFolder,
  tool,
} from '../service.ts'

const MESSAGE = Buffer.from('signed on one side, verified on the other')

/** One of every sort: NIST, SEC, Brainpool, X9.62, binary, and orders longer and shorter than the field. */
const NAMES = ['P-192', 'P-224', 'P-256', 'P-384', 'P-521', 'secp160r1', 'secp256k1']
  .concat(['brainpoolP160r1', 'brainpoolP256t1', 'brainpoolP512r1', 'prime239v3', 'secp112r2'])
  .concat(['K-163', 'B-233', 'K-283', 'K-409', 'B-571', 'c2pnb208w1', 'c2tnb191v3'])

const named = (name: string) => curves.find((curve) => isCalled(curve, name)) as Curve

/** openssl and a folder to hand it files in. */
interface Bench {
  readonly openssl: Runner
  readonly write: (name: string, content: Uint8Array) => string
  readonly read: (name: string) => Buffer
  readonly file: (name: string) => string
}

function bench(t: Scope, path: string): Bench {
  const folder = temporaryFolder(t)
  const file = (name: string) => join(folder, name)
  const write = (name: string, content: Uint8Array) => {
    writeFileSync(file(name), content)
    return file(name)
  }
  write('message', MESSAGE)
  return {
    openssl: runner(path, environmentWith({})),
    write,
    file,
    read: (n) => readFileSync(file(n)),
  }
}

async function sign({ call, session }: Opened, mechanism: MechanismArgument, key: number) {
  await call('C_SignInit', [session, mechanism, key])
  return bytes(await call('C_Sign', [session, data(MESSAGE), 4096]))
}

async function verify(
  { call, session }: Opened,
  mechanism: MechanismArgument,
  key: number,
  signature: Uint8Array,
) {
  await call('C_VerifyInit', [session, mechanism, key])
  await call('C_Verify', [session, data(MESSAGE), signature])
}

/** An ECDSA signature as X9.62 has it, from r and s, and back. */
const encoded = (signature: Uint8Array) =>
  sequence(
    integer(signature.subarray(0, signature.length / 2)),
    integer(signature.subarray(signature.length / 2)),
  )

function decoded(curve: Curve, signature: Uint8Array): Uint8Array {
  const reader = new DerReader(signature).within()
  const [r, s] = [reader.integer(), reader.integer()]
  return Buffer.concat([padTo(curve.orderBytes, r), padTo(curve.orderBytes, s)])
}

const infoOf = async (token: Opened, key: number) =>
  (await attributesOf(token, key, 'PUBLIC_KEY_INFO'))[0] as Uint8Array

/** A private key of openssl, as PrivateKeyInfo and SubjectPublicKeyInfo. */
async function opensslKey({ openssl, file, read }: Bench, options: readonly string[]) {
  await openssl('genpkey', ...options, '-outform', 'DER', '-out', file('theirs.der'))
  const input = ['-inform', 'DER', '-in', file('theirs.der')]
  // genpkey of version 3.0 writes the traditional form in DER.
  await openssl(
    'pkcs8',
    '-topk8',
    '-nocrypt',
    ...input,
    '-outform',
    'DER',
    '-out',
    file('theirs.p8'),
  )
  await openssl('pkey', ...input, '-pubout', '-outform', 'DER', '-out', file('theirs.pub'))
  return { info: read('theirs.p8'), publicInfo: read('theirs.pub') }
}

const DER = ['-keyform', 'DER']

test('ECDSA: openssl verifies what the token signed', async (t) => {
  const path = tool(t, 'openssl')
  if (path === undefined) return
  const { openssl, write, file } = bench(t, path)
  const token = await openToken(t)
  const uses = { publicUses: { VERIFY: true }, privateUses: { SIGN: true } }
  const mechanism = { type: CKM.ECDSA_SHA256, parameter: null }
  for (const curve of NAMES.map(named)) {
    const pair = await pairOn(token, CKM.EC_KEY_PAIR_GEN, curveIdentifier(curve), uses)
    write('ours.pub', await infoOf(token, pair.privateKey))
    write('signature', encoded(await sign(token, mechanism, pair.privateKey)))
    const key = ['-pubin', '-inkey', file('ours.pub'), ...DER]
    const what = ['-rawin', '-digest', 'sha256', '-in', file('message')]
    await openssl('pkeyutl', '-verify', ...key, ...what, '-sigfile', file('signature'))
  }
})

test('ECDSA and ECDH: the token takes keys of openssl, verifies what they signed and shares their secrets', async (t) => {
  const path = tool(t, 'openssl')
  if (path === undefined) return
  const tools = bench(t, path)
  const token = await openToken(t)
  const mechanism = { type: CKM.ECDSA_SHA384, parameter: null }
  const uses = { publicUses: {}, privateUses: { DERIVE: true } }
  for (const curve of NAMES.map(named)) {
    const group = `ec_paramgen_curve:${curve.group}`
    const { info, publicInfo } = await opensslKey(tools, ['-algorithm', 'EC', '-pkeyopt', group])
    const scalar = readEcPrivateKeyInfo(info)?.scalar as Uint8Array
    const on = { KEY_TYPE: CKK.EC, EC_PARAMS: curveIdentifier(curve) }
    const own = await privateKeyOf(token, { ...on, VALUE: scalar, SIGN: true })
    assert.deepEqual(Buffer.from(await infoOf(token, own)), publicInfo, curve.name)

    const point = publicInfo.subarray(publicInfo.length - 1 - 2 * curve.bytes)
    const theirs = await publicKeyOf(token, { ...on, EC_POINT: point, VERIFY: true })
    const key = ['-inkey', tools.file('theirs.p8'), ...DER]
    const out = ['-out', tools.file('signature')]
    const what = ['-rawin', '-digest', 'sha384', '-in', tools.file('message')]
    await tools.openssl('pkeyutl', '-sign', ...key, ...what, ...out)
    await verify(token, mechanism, theirs, decoded(curve, tools.read('signature')))

    const pair = await pairOn(token, CKM.EC_KEY_PAIR_GEN, curveIdentifier(curve), uses)
    tools.write('ours.pub', await infoOf(token, pair.publicKey))
    const peer = ['-peerkey', tools.file('ours.pub'), '-peerform', 'DER']
    await tools.openssl('pkeyutl', '-derive', ...key, ...peer, '-out', tools.file('secret'))
    const secret = await derived(token, CKM.ECDH1_DERIVE, pair.privateKey, { publicData: point })
    assert.deepEqual(Buffer.from(secret), tools.read('secret'), curve.name)
  }
})

async function edwardsBothWays(tools: Bench, token: Opened, curve: OctetCurve): Promise<void> {
  const { openssl, file, read, write } = tools
  const mechanism = { type: CKM.EDDSA, parameter: null }
  const uses = { publicUses: { VERIFY: true }, privateUses: { SIGN: true } }
  const generation = CKM.EC_EDWARDS_KEY_PAIR_GEN
  const pair = await pairOn(token, generation, curveIdentifier(curve), uses)
  write('ours.pub', await infoOf(token, pair.privateKey))
  write('signature', await sign(token, mechanism, pair.privateKey))
  const what = ['-rawin', '-in', file('message')]
  const ours = ['-pubin', '-inkey', file('ours.pub'), ...DER]
  await openssl('pkeyutl', '-verify', ...ours, ...what, '-sigfile', file('signature'))

  const { info, publicInfo } = await opensslKey(tools, ['-algorithm', curve.type])
  const octets = readOctetPrivateKeyInfo(edwardsCurves, info)?.octets as Uint8Array
  const on = { KEY_TYPE: CKK.EC_EDWARDS, EC_PARAMS: curveIdentifier(curve) }
  const own = await privateKeyOf(token, { ...on, VALUE: octets, SIGN: true })
  assert.deepEqual(Buffer.from(await infoOf(token, own)), publicInfo)
  const point = publicInfo.subarray(publicInfo.length - curve.bytes)
  const theirs = await publicKeyOf(token, { ...on, EC_POINT: point, VERIFY: true })
  const key = ['-inkey', file('theirs.p8'), ...DER]
  await openssl('pkeyutl', '-sign', ...key, ...what, '-out', file('signature'))
  await verify(token, mechanism, theirs, read('signature'))
  // EdDSA is deterministic, so both sides make the same.
  assert.deepEqual(Buffer.from(await sign(token, mechanism, own)), read('signature'))
}

async function montgomeryBothWays(tools: Bench, token: Opened, curve: OctetCurve): Promise<void> {
  const { openssl, file, read, write } = tools
  const uses = { publicUses: {}, privateUses: { DERIVE: true } }
  const generation = CKM.EC_MONTGOMERY_KEY_PAIR_GEN
  const pair = await pairOn(token, generation, curveIdentifier(curve), uses)
  const { info, publicInfo } = await opensslKey(tools, ['-algorithm', curve.type])
  write('ours.pub', await infoOf(token, pair.publicKey))
  const key = ['-inkey', file('theirs.p8'), ...DER]
  const peer = ['-peerkey', file('ours.pub'), '-peerform', 'DER']
  await openssl('pkeyutl', '-derive', ...key, ...peer, '-out', file('secret'))
  const publicData = publicInfo.subarray(publicInfo.length - curve.bytes)
  const secret = await derived(token, CKM.ECDH1_DERIVE, pair.privateKey, { publicData })
  assert.deepEqual(Buffer.from(secret), read('secret'))

  const octets = readOctetPrivateKeyInfo(montgomeryCurves, info)?.octets as Uint8Array
  const on = { KEY_TYPE: CKK.EC_MONTGOMERY, EC_PARAMS: curveIdentifier(curve) }
  const own = await privateKeyOf(token, { ...on, VALUE: octets, DERIVE: true })
  assert.deepEqual(Buffer.from(await infoOf(token, own)), publicInfo)
  const [point] = await attributesOf(token, pair.publicKey, 'EC_POINT')
  const same = await derived(token, CKM.ECDH1_DERIVE, own, { publicData: point as Uint8Array })
  assert.deepEqual(same, secret)
}

for (const [family, familyCurves, bothWays] of [
  ['EdDSA', edwardsCurves, edwardsBothWays],
  ['X25519 and X448', montgomeryCurves, montgomeryBothWays],
] as const)
  test(`${family}: keys go both ways between the token and openssl`, async (t) => {
    const path = tool(t, 'openssl')
    if (path === undefined) return
    const tools = bench(t, path)
    const token = await openToken(t)
    for (const curve of familyCurves) await bothWays(tools, token, curve)
  })
