/** A token in a temporary folder and an application of it, in this process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Library, openLibrary } from '../src/cryptoki.ts'
import type { Policy } from '../src/mechanisms/policy.ts'
import {
  type AnswerOf,
  type Application,
  type Attribute,
  type CallContext,
  dataOf,
  type FunctionName,
  type InputsOf,
} from '../src/standard/calls.ts'
import { CKA, CKF, CKR, CKU } from '../src/standard/constants.ts'
import { CryptokiError } from '../src/standard/error.ts'
import { openSqliteStore } from '../src/store/sqlite.ts'
import type { Store } from '../src/store/store.ts'

export const SO_PIN = Buffer.from('so-87654321')
export const PIN = Buffer.from('1234')

/** The cheapest PIN there is, 8 KiB and one pass: tests set many. */
export const CHEAP_PIN = { memory: 8, passes: 1, lanes: 1 } as const

/** 32 bytes, blank padded. */
export const label = (text: string) => Buffer.from(text.padEnd(32))

type Given = boolean | number | string | Uint8Array | readonly number[]

const ulong = (value: number) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function bytesOf(value: Given): Uint8Array {
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0)
  if (typeof value === 'number') return ulong(value)
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return value
  return Buffer.concat(value.map(ulong))
}

/** A template from names without CKA_. */
export const template = (values: { readonly [Name in keyof typeof CKA]?: Given }): Attribute[] =>
  Object.entries(values).map(([name, value]) => ({
    type: CKA[name as keyof typeof CKA],
    value: bytesOf(value as Given),
  }))

/** Rejects with this return value; for assert.rejects and assert.throws. */
export const answers = (name: keyof typeof CKR) => (error: unknown) => {
  if (error instanceof CryptokiError && error.rv === CKR[name]) return true
  throw error
}

export interface Opened {
  readonly library: Library
  readonly application: Application
  readonly session: number
  readonly slot: number
  /** Awaited, so that a test reads the same whether a call is synchronous or not. */
  call<N extends FunctionName>(
    name: N,
    inputs: InputsOf<N>,
    context?: CallContext,
  ): Promise<AnswerOf<N>>
  /** Ends the library and opens it again on the same store: what lasted is there. */
  restart(): Promise<Opened>
  /** One more application of the library, in a session whose user is logged in where the token has one. */
  another(): Promise<Opened>
  /** What the library stands on; what is changed there another host may have changed. */
  readonly store: Store
}

const caller =
  (application: Application): Opened['call'] =>
  async (name, inputs, context) =>
    application.call(name, inputs, context)

interface Setting {
  readonly interval: number
  readonly policy?: Policy | undefined
}

async function openOn(file: string, t: TestContext, setting: Setting): Promise<Opened> {
  const store = await openSqliteStore(file)
  const library = await openLibrary({
    store,
    interval: setting.interval,
    ...(setting.policy && { policy: setting.policy }),
  })
  let closed = false
  const close = async () => {
    if (!closed) await library.close()
    closed = true
  }
  t.after(close)
  const restart = async () => {
    await close()
    return openOn(file, t, setting)
  }
  const open = async (): Promise<Opened> => {
    const application = library.open('test')
    const call = caller(application)
    const flags = CKF.SERIAL_SESSION | CKF.RW_SESSION
    const session = await call('C_OpenSession', [0, flags, true]).catch(() => 0)
    return { library, application, session, slot: 0, call, restart, another, store }
  }
  const another = async () => {
    const opened = await open()
    if (opened.session !== 0) await opened.call('C_Login', [opened.session, CKU.USER, PIN])
    return opened
  }
  return open()
}

/** A library on an empty store; slot 0 holds a token that is not initialised. */
export function emptyLibrary(t: TestContext, interval = 50, policy?: Policy): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'softoki-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return openOn(join(folder, 'tokens.db'), t, { interval, policy })
}

/** A read/write session with a token whose user is logged in. */
export async function openToken(t: TestContext, interval = 50, policy?: Policy): Promise<Opened> {
  const library = await emptyLibrary(t, interval, policy)
  const { call } = library
  await call('C_InitToken', [0, SO_PIN, label('test')])
  const session = await call('C_OpenSession', [0, CKF.SERIAL_SESSION | CKF.RW_SESSION, true])
  await call('C_Login', [session, CKU.SO, SO_PIN])
  await call('C_InitPIN', [session, PIN])
  await call('C_Logout', [session])
  await call('C_Login', [session, CKU.USER, PIN])
  return { ...library, session }
}

export const data = (bytes: Uint8Array | string) =>
  dataOf(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)

/** The bytes of an answer that must hold some. */
export function bytes(filled: unknown): Uint8Array {
  if (filled instanceof Uint8Array) return filled
  throw new TypeError(`no bytes in ${JSON.stringify(filled)}`)
}
