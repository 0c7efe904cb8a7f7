/** X9.31, RSA with AES key wrap, DSA and Diffie-Hellman between the token and the command openssl. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DerReader, integer, sequence, withoutLeadingZeros } from '../../src/engine/der.ts'
import {
  dhField,
  type Field,
  fieldPublicKeyInfo,
  x942Field,
} from '../../src/engine/finite-field.ts'
import { padTo } from '../../src/engine/rsa.ts'
import type { MechanismArgument } from '../../src/standard/calls.ts'
import { CKD, CKG, CKK, CKM, CKO, CKZ } from '../../src/standard/constants.ts'
import { bytes, type Opened, openToken, template } from '../in-process.ts'
import {
  attributesOf,
  pairWith,
  privateKeyInfoOf,
  sign,
  unwrapInfo,
  verify,
} from '../mechanisms/field-keys.ts'
import {
  environmentWith,
  type Runner,
  runner,
  type Scope,
  temporaryFolder,
  tool,
} from '../service.ts'

const MESSAGE = Buffer.from('signed on one side, verified on the other')

/** openssl and a folder to hand it files in. */
interface Bench {
  readonly openssl: Runner
  readonly write: (name: string, content: Uint8Array) => string
  readonly read: (name: string) => Buffer
  readonly file: (name: string) => string
}

function bench(t: Scope): Bench | undefined {
  const path = tool(t, 'openssl')
  if (path === undefined) return undefined
  const folder = temporaryFolder(t)
  const file = (name: string) => join(folder, name)
  const write = (name: string, content: Uint8Array) => {
    writeFileSync(file(name), content)
    return file(name)
  }
  return {
    openssl: runner(path, environmentWith({})),
    write,
    file,
    read: (name) => readFileSync(file(name)),
  }
}

const DER = ['-keyform', 'DER']
const OPEN = { SENSITIVE: false, EXTRACTABLE: true }

async function rsaPair({ call, session }: Opened, publicUses: object, privateUses: object) {
  const [publicKey, privateKey] = await call('C_GenerateKeyPair', [
    session,
    { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
    template({ MODULUS_BITS: 2048, ...publicUses }),
    template({ ...OPEN, ...privateUses }),
  ])
  return { publicKey, privateKey }
}

const infoOf = async (token: Opened, key: number) =>
  (await attributesOf(token, key, 'PUBLIC_KEY_INFO'))[0] as Uint8Array

test('X9.31: openssl verifies what the token signed, and the other way', async (t) => {
  const tools = bench(t)
  if (tools === undefined) return
  const { openssl, write, read, file } = tools
  const token = await openToken(t)
  const { publicKey, privateKey } = await rsaPair(token, { VERIFY: true }, { SIGN: true })
  const digest = createHash('sha1').update(MESSAGE).digest()
  write('digest', digest)
  write('ours.pub', await infoOf(token, publicKey))
  write('ours.p8', await privateKeyInfoOf(token, privateKey))
  const x931 = ['-pkeyopt', 'digest:sha1', '-pkeyopt', 'rsa_padding_mode:x931']
  const what = ['-in', file('digest'), ...x931]
  const payload = Buffer.concat([digest, Buffer.of(0x33, 0xcc)])
  for (const [type, message] of [
    [CKM.SHA1_RSA_X9_31, MESSAGE],
    [CKM.RSA_X9_31, payload],
  ] as const) {
    write('signature', await sign(token, type, privateKey, message))
    const key = ['-pubin', '-inkey', file('ours.pub'), ...DER]
    await openssl('pkeyutl', '-verify', ...key, ...what, '-sigfile', file('signature'))
    const own = ['-inkey', file('ours.p8'), ...DER]
    await openssl('pkeyutl', '-sign', ...own, ...what, '-out', file('theirs'))
    await verify(token, type, publicKey, message, read('theirs'))
  }
})

test('what CKM_RSA_AES_KEY_WRAP wraps openssl unwraps piece by piece, and the other way', async (t) => {
  const tools = bench(t)
  if (tools === undefined) return
  const { openssl, write, read, file } = tools
  const token = await openToken(t)
  const { call, session } = token
  const { publicKey, privateKey } = await rsaPair(token, { WRAP: true }, { UNWRAP: true })
  write('wrapping.pub', await infoOf(token, publicKey))
  write('wrapping.p8', await privateKeyInfoOf(token, privateKey))
  const target = await rsaPair(token, {}, { SIGN: true })
  const mechanism: MechanismArgument = {
    type: CKM.RSA_AES_KEY_WRAP,
    parameter: {
      aesKeyBits: 256,
      oaepParams: {
        hashAlg: CKM.SHA256,
        mgf: CKG.MGF1_SHA256,
        source: CKZ.DATA_SPECIFIED,
        sourceData: new Uint8Array(0),
      },
    },
  }
  const oaep = ['rsa_padding_mode:oaep', 'rsa_oaep_md:sha256'].flatMap((o) => ['-pkeyopt', o])
  const aes = async (way: '-e' | '-d', key: Uint8Array, input: string, output: string) => {
    const hex = Buffer.from(key).toString('hex')
    const how = ['-id-aes256-wrap-pad', '-K', hex, '-iv', 'a65959a6']
    await openssl('enc', way, ...how, '-in', file(input), '-out', file(output))
  }
  const wrapped = bytes(
    await call('C_WrapKey', [session, mechanism, publicKey, target.privateKey, 4096]),
  )
  write('first', wrapped.subarray(0, 256))
  write('second', wrapped.subarray(256))
  const own = ['-inkey', file('wrapping.p8'), ...DER, ...oaep]
  await openssl('pkeyutl', '-decrypt', ...own, '-in', file('first'), '-out', file('aes'))
  await aes('-d', read('aes'), 'second', 'target')
  assert.deepEqual(read('target'), await privateKeyInfoOf(token, target.privateKey))

  const key = Buffer.alloc(32, 0x5c)
  write('aes', key)
  const theirs = ['-pubin', '-inkey', file('wrapping.pub'), ...DER, ...oaep]
  await openssl('pkeyutl', '-encrypt', ...theirs, '-in', file('aes'), '-out', file('first'))
  await aes('-e', key, 'target', 'second')
  const back = await call('C_UnwrapKey', [
    session,
    mechanism,
    privateKey,
    Buffer.concat([read('first'), read('second')]),
    template({ CLASS: CKO.PRIVATE_KEY, KEY_TYPE: CKK.RSA, ...OPEN }),
  ])
  assert.deepEqual(await infoOf(token, back), await infoOf(token, target.publicKey))
})

/** A DSA signature as X9.62 has it, from r and s, and back. */
const encoded = (signature: Uint8Array) =>
  sequence(
    integer(signature.subarray(0, signature.length / 2)),
    integer(signature.subarray(signature.length / 2)),
  )

function decoded(signature: Uint8Array, half: number): Uint8Array {
  const reader = new DerReader(signature).within()
  return Buffer.concat([padTo(half, reader.integer()), padTo(half, reader.integer())])
}

/** Fresh parameters and a key of openssl, as PrivateKeyInfo and SubjectPublicKeyInfo. */
async function opensslKey({ openssl, file, read }: Bench, options: readonly string[]) {
  const chosen = options.flatMap((option) => ['-pkeyopt', option])
  const [algorithm, ...rest] = [options[0]?.split(':')[0] as string, ...chosen.slice(2)]
  await openssl(
    'genpkey',
    '-genparam',
    '-algorithm',
    algorithm,
    ...rest,
    '-out',
    file('parameters'),
  )
  await openssl('genpkey', '-paramfile', file('parameters'), '-out', file('theirs.pem'))
  const input = ['-in', file('theirs.pem'), '-outform', 'DER']
  await openssl('pkcs8', '-topk8', '-nocrypt', ...input, '-out', file('theirs.p8'))
  await openssl('pkey', ...input, '-pubout', '-out', file('theirs.pub'))
  return { info: read('theirs.p8'), publicInfo: read('theirs.pub') }
}

test('DSA: keys go both ways between the token and openssl', async (t) => {
  const tools = bench(t)
  if (tools === undefined) return
  const { openssl, write, read, file } = tools
  const token = await openToken(t)
  write('message', MESSAGE)
  const { info, publicInfo } = await opensslKey(tools, [
    'DSA',
    'dsa_paramgen_bits:1024',
    'dsa_paramgen_q_bits:160',
  ])
  const key = await unwrapInfo(token, info, { KEY_TYPE: CKK.DSA, EXTRACTABLE: true })
  assert.deepEqual(Buffer.from(await infoOf(token, key)), publicInfo)
  const [p, q, g] = await attributesOf(token, key, 'PRIME', 'SUBPRIME', 'BASE')
  const numbers = { p, q, g } as Record<'p' | 'q' | 'g', Uint8Array>
  const pair = await pairWith(token, CKM.DSA_KEY_PAIR_GEN, numbers)
  const what = ['-rawin', '-digest', 'sha256', '-in', file('message')]
  for (const [privateKey, ours] of [
    [key, await infoOf(token, key)],
    [pair.privateKey, await infoOf(token, pair.publicKey)],
  ] as const) {
    write('ours.pub', ours)
    write('signature', encoded(await sign(token, CKM.DSA_SHA256, privateKey, MESSAGE)))
    const pub = ['-pubin', '-inkey', file('ours.pub'), ...DER]
    await openssl('pkeyutl', '-verify', ...pub, ...what, '-sigfile', file('signature'))
  }
  write('ours.p8', await privateKeyInfoOf(token, pair.privateKey))
  const own = ['-inkey', file('ours.p8'), ...DER]
  await openssl('pkeyutl', '-sign', ...own, ...what, '-out', file('theirs'))
  const signature = decoded(read('theirs'), 20)
  await verify(token, CKM.DSA_SHA256, pair.publicKey, MESSAGE, signature)
})

interface Kind {
  readonly name: string
  readonly field: Field
  readonly keyType: number
  readonly generation: number
  readonly options: readonly string[]
  readonly mechanism: (publicData: Uint8Array) => MechanismArgument
}

const x942 =
  (kdf: number, otherInfo: Uint8Array) =>
  (publicData: Uint8Array): MechanismArgument => ({
    type: CKM.X9_42_DH_DERIVE,
    parameter: { kdf, otherInfo, publicData },
  })

const KINDS: readonly Kind[] = [
  {
    name: 'PKCS #3',
    field: dhField,
    keyType: CKK.DH,
    generation: CKM.DH_PKCS_KEY_PAIR_GEN,
    options: ['DH', 'dh_paramgen_prime_len:1024'],
    mechanism: (publicData) => ({ type: CKM.DH_PKCS_DERIVE, parameter: publicData }),
  },
  {
    name: 'X9.42',
    field: x942Field,
    keyType: CKK.X9_42_DH,
    generation: CKM.X9_42_DH_KEY_PAIR_GEN,
    options: ['DHX', 'dh_rfc5114:3'],
    mechanism: x942(CKD.NULL, new Uint8Array(0)),
  },
]

const shortest = (value: Uint8Array) => Buffer.from(withoutLeadingZeros(value))

/** The public value in a SubjectPublicKeyInfo. */
function publicValueIn(info: Uint8Array): Uint8Array {
  const reader = new DerReader(info).within()
  reader.element()
  return new DerReader(reader.bitString()).integer()
}

async function agreeBothWays(tools: Bench, token: Opened, kind: Kind): Promise<void> {
  const { openssl, write, read, file } = tools
  const { info, publicInfo } = await opensslKey(tools, kind.options)
  const own = await unwrapInfo(token, info, { KEY_TYPE: kind.keyType, DERIVE: true })
  assert.deepEqual(Buffer.from(await infoOf(token, own)), publicInfo)
  const [p, g, q] = await attributesOf(
    token,
    own,
    'PRIME',
    'BASE',
    ...(kind.keyType === CKK.DH ? [] : (['SUBPRIME'] as const)),
  )
  const numbers = { p, g, ...(q && { q }) } as { p: Uint8Array; g: Uint8Array; q: Uint8Array }
  const pair = await pairWith(token, kind.generation, numbers, { DERIVE: true })
  const ours = await infoOf(token, pair.publicKey)
  const [y] = await attributesOf(token, pair.publicKey, 'VALUE')
  assert.deepEqual(fieldPublicKeyInfo(kind.field, numbers, y as Uint8Array), ours)
  write('ours.pub', ours)
  const key = ['-inkey', file('theirs.p8'), ...DER]
  const peer = ['-peerkey', file('ours.pub'), '-peerform', 'DER']
  await openssl('pkeyutl', '-derive', ...key, ...peer, '-out', file('secret'))
  const { call, session } = token
  const derive = async (base: number, publicData: Uint8Array) => {
    const secret = template({ KEY_TYPE: CKK.GENERIC_SECRET, ...OPEN })
    const made = await call('C_DeriveKey', [session, kind.mechanism(publicData), base, secret])
    return shortest((await attributesOf(token, made, 'VALUE'))[0] as Uint8Array)
  }
  // openssl pkeyutl leaves leading zeros out.
  const secret = shortest(read('secret'))
  assert.deepEqual(await derive(pair.privateKey, publicValueIn(publicInfo)), secret)
  assert.deepEqual(await derive(own, y as Uint8Array), secret)
}

for (const kind of KINDS)
  test(`Diffie-Hellman of ${kind.name}: keys go both ways between the token and openssl`, async (t) => {
    const tools = bench(t)
    if (tools === undefined) return
    await agreeBothWays(tools, await openToken(t), kind)
  })
