/**
 * pkcs11js with any module.
 * usage: pkcs11js.ts MODULE PIN MILLISECONDS LEAST (sign KEY | digest BYTES)
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from '../../test/service.ts'
import { measure, type Once } from './measure.ts'

interface Mechanism {
  readonly mechanism: number
}
type Template = readonly { readonly type: number; readonly value: unknown }[]

/** What is used of pkcs11js here. */
interface Pkcs11 {
  load(path: string): void
  C_Initialize(): void
  C_GetSlotList(withToken: boolean): readonly Buffer[]
  C_OpenSession(slot: Buffer, flags: number): Buffer
  C_Login(session: Buffer, user: number, pin: string): void
  C_GenerateKeyPair(
    session: Buffer,
    mechanism: Mechanism,
    publicKey: Template,
    privateKey: Template,
  ): { readonly privateKey: Buffer }
  C_SignInit(session: Buffer, mechanism: Mechanism, key: Buffer): void
  C_Sign(session: Buffer, data: Buffer, into: Buffer): Buffer
  C_DigestInit(session: Buffer, mechanism: Mechanism): void
  C_Digest(session: Buffer, data: Buffer, into: Buffer): Buffer
  C_Finalize(): void
}
type Constants = Readonly<Record<string, number>>

const p11 = createRequire(join(root, 'test/foreign/node/pkcs11js.mjs'))('pkcs11js') as Constants & {
  readonly PKCS11: new () => Pkcs11
}
const number = (name: string) => p11[name] as number

const [, , path, pin, milliseconds, least, work, word] =
  process.argv as unknown as readonly string[]
const P256 = Buffer.from('06082a8648ce3d030107', 'hex')
const module = new p11.PKCS11()
module.load(path as string)
module.C_Initialize()
const [slot] = module.C_GetSlotList(true)
const flags = number('CKF_RW_SESSION') | number('CKF_SERIAL_SESSION')
const session = module.C_OpenSession(slot as Buffer, flags)
module.C_Login(session, number('CKU_USER'), pin as string)

function keyOf(kind: string): Buffer {
  const rsa = kind.startsWith('rsa-')
  const type = number(rsa ? 'CKM_RSA_PKCS_KEY_PAIR_GEN' : 'CKM_EC_KEY_PAIR_GEN')
  const kindOf = rsa
    ? { type: number('CKA_MODULUS_BITS'), value: Number(kind.slice(4)) }
    : { type: number('CKA_EC_PARAMS'), value: P256 }
  const lasting = { type: number('CKA_TOKEN'), value: true }
  const signs = { type: number('CKA_SIGN'), value: true }
  const made = module.C_GenerateKeyPair(
    session,
    { mechanism: type },
    [lasting, kindOf],
    [lasting, signs],
  )
  return made.privateKey
}

function signing(kind: string): Once {
  const key = keyOf(kind)
  const rsa = kind.startsWith('rsa-')
  const mechanism = { mechanism: number(rsa ? 'CKM_RSA_PKCS' : 'CKM_ECDSA') }
  const [data, into] = [Buffer.alloc(rsa ? 51 : 32), Buffer.alloc(512)]
  return () => {
    module.C_SignInit(session, mechanism, key)
    module.C_Sign(session, data, into)
  }
}

function digesting(bytes: number): Once {
  const mechanism = { mechanism: number('CKM_SHA256') }
  const [data, into] = [Buffer.alloc(bytes, 7), Buffer.alloc(32)]
  return () => {
    module.C_DigestInit(session, mechanism)
    module.C_Digest(session, data, into)
  }
}

const once = work === 'sign' ? signing(word as string) : digesting(Number(word))
await measure(once, Number(milliseconds), Number(least))
module.C_Finalize()
