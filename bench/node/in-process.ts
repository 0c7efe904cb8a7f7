/**
 * Our library in the process of the program, on a SQLite store.
 * usage: in-process.ts FILE MILLISECONDS LEAST (sign KEY | digest BYTES)
 */
import { openLibrary } from '../../src/cryptoki.ts'
import { type Application, dataOf, type InputsOf } from '../../src/standard/calls.ts'
import { CKA, CKF, CKM, CKU } from '../../src/standard/constants.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { measure, type Once } from './measure.ts'

const [, , file, milliseconds, least, work, word] = process.argv as unknown as readonly string[]
const PIN = Buffer.from('52715271')
const SO_PIN = Buffer.from('87654321')
const YES = Uint8Array.of(1)
const P256 = Buffer.from('06082a8648ce3d030107', 'hex')
const LABEL = Buffer.from('bench'.padEnd(32))

type Template = InputsOf<'C_GenerateKeyPair'>[2]

async function loggedIn(application: Application): Promise<number> {
  const flags = CKF.SERIAL_SESSION | CKF.RW_SESSION
  await application.call('C_InitToken', [0, SO_PIN, LABEL])
  const session = await application.call('C_OpenSession', [0, flags, false])
  await application.call('C_Login', [session, CKU.SO, SO_PIN])
  await application.call('C_InitPIN', [session, PIN])
  await application.call('C_Logout', [session])
  await application.call('C_Login', [session, CKU.USER, PIN])
  return session
}

const ulong = (value: number) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

/** A signing key of the token. */
async function keyOf(application: Application, session: number, kind: string): Promise<number> {
  const rsa = kind.startsWith('rsa-')
  const type = rsa ? CKM.RSA_PKCS_KEY_PAIR_GEN : CKM.EC_KEY_PAIR_GEN
  const lasting: Template = [{ type: CKA.TOKEN, value: YES }]
  const kindOf = rsa
    ? { type: CKA.MODULUS_BITS, value: ulong(Number(kind.slice(4))) }
    : { type: CKA.EC_PARAMS, value: P256 }
  const [, key] = await application.call('C_GenerateKeyPair', [
    session,
    { type, parameter: null },
    [...lasting, kindOf],
    lasting,
  ])
  return key as number
}

/** C_SignInit and C_Sign. */
async function signing(application: Application, session: number, kind: string): Promise<Once> {
  const key = await keyOf(application, session, kind)
  const rsa = kind.startsWith('rsa-')
  const mechanism = { type: rsa ? CKM.RSA_PKCS : CKM.ECDSA, parameter: null }
  const data = dataOf(Buffer.alloc(rsa ? 51 : 32))
  return async () => {
    const begun = application.call('C_SignInit', [session, mechanism, key])
    if (begun instanceof Promise) await begun
    return application.call('C_Sign', [session, data, 512])
  }
}

/** C_DigestInit and C_Digest. */
function digesting(application: Application, session: number, bytes: number): Once {
  const mechanism = { type: CKM.SHA256, parameter: null }
  const data = dataOf(Buffer.alloc(bytes, 7))
  return async () => {
    const begun = application.call('C_DigestInit', [session, mechanism])
    if (begun instanceof Promise) await begun
    return application.call('C_Digest', [session, data, 32])
  }
}

const library = await openLibrary({ store: await openSqliteStore(`${file}.${process.pid}`) })
const application = library.open('bench')
const session = await loggedIn(application)
const once =
  work === 'sign'
    ? await signing(application, session, word as string)
    : digesting(application, session, Number(word))
await measure(once, Number(milliseconds), Number(least))
await library.close()
