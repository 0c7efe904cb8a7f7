/** The store in trouble: damaged, full, or not to be written; and which functions notice. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { FunctionName } from '../../../src/standard/calls.ts'

/** They make, change or destroy what lasts, or count the tries of a PIN. */
export const WRITES_STORE: readonly FunctionName[] = [
  'C_InitToken',
  'C_InitPIN',
  'C_SetPIN',
  'C_Login',
  'C_CreateObject',
  'C_CopyObject',
  'C_DestroyObject',
  'C_SetAttributeValue',
  'C_GenerateKey',
  'C_GenerateKeyPair',
  'C_UnwrapKey',
  'C_DeriveKey',
]

/** All that read it or write it. */
export const TOUCHES_STORE: readonly FunctionName[] = [
  ...WRITES_STORE,
  'C_GetObjectSize',
  'C_GetAttributeValue',
  'C_FindObjectsInit',
  'C_EncryptInit',
  'C_DecryptInit',
  'C_DigestKey',
  'C_SignInit',
  'C_SignRecoverInit',
  'C_VerifyInit',
  'C_VerifyRecoverInit',
  'C_WrapKey',
]

/** An answer of more than 16 MiB is refused. */
export const ANSWERS_MUCH: readonly FunctionName[] = ['C_GetAttributeValue']

/** C_Login does not list CKR_TOKEN_WRITE_PROTECTED, and C_InitPIN comes after C_Login. */
export const WRITE_PROTECTED: readonly FunctionName[] = WRITES_STORE.filter(
  (name) => name !== 'C_Login' && name !== 'C_InitPIN',
)

const TABLES = ['objects', 'tokens', 'slots'] as const
const EVENTS = ['insert', 'update', 'delete'] as const

const storeOf = (home: string): string => join(home, 'tokens.db')

function changeStore(home: string, sql: string): void {
  const database = new DatabaseSync(storeOf(home), { timeout: 5000 })
  try {
    database.exec(`begin; ${sql} commit`)
  } finally {
    database.close()
  }
}

/** A trouble that lasts until it is mended. */
export interface Trouble {
  begin(home: string): void
  mend(home: string): void
}

/** The tables are not where they should be. */
export const damaged: Trouble = {
  begin: (home) =>
    changeStore(home, TABLES.map((name) => `alter table ${name} rename to lost_${name};`).join('')),
  mend: (home) =>
    changeStore(home, TABLES.map((name) => `alter table lost_${name} rename to ${name};`).join('')),
}

const triggers = TABLES.flatMap((table) =>
  EVENTS.map((event) => ({ name: `no_room_to_${event}_${table}`, on: `${event} on ${table}` })),
)

/** SQLite answers SQLITE_FULL, as on a full disk: each change wants a row in a table with no number left. */
export const full: Trouble = {
  begin: (home) =>
    changeStore(
      home,
      `create table crammed (number integer primary key autoincrement);
       insert into crammed values (${2n ** 63n - 1n});
       ${triggers
         .map(
           ({ name, on }) =>
             `create trigger ${name} before ${on} begin insert into crammed values (null); end;`,
         )
         .join('')}`,
    ),
  mend: (home) =>
    changeStore(
      home,
      `${triggers.map(({ name }) => `drop trigger ${name};`).join('')} drop table crammed;`,
    ),
}

/** "File format write version" of a database's header: above 2, SQLite only reads it (fileformat2, 1.3.3). */
const WRITE_VERSION = 18

/** Makes a store that no service has open one that can only be read. */
export function protect(home: string): void {
  const file = openSync(storeOf(home), 'r+')
  writeSync(file, Uint8Array.of(3), 0, 1, WRITE_VERSION)
  closeSync(file)
}
