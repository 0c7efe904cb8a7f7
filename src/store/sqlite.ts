/**
 * The store in one SQLite file: WAL, synchronous FULL, so that a transaction is on the disk when its
 * promise resolves. Beside the file lie -wal and -shm, which belong to it.
 */
import { closeSync, openSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { Kysely } from 'kysely'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Schema } from './schema.ts'
import { SqlStore } from './sql.ts'
import { type Explain, resultCode, SqliteDialect, whenFree } from './sqlite-dialect.ts'
import type { Store } from './store.ts'

/**
 * The schema, one entry a version; PRAGMA user_version counts those applied. An entry that was once
 * published never changes.
 */
const migrations: readonly string[] = [
  `
  create table slots (
    slot integer primary key,
    serial text not null unique,
    removed integer not null
  ) strict;

  create table tokens (
    slot integer primary key references slots (slot),
    label text not null,
    soKey blob not null,
    userKey blob,
    publicKey blob not null,
    soFailures integer not null,
    userFailures integer not null,
    userPinToBeChanged integer not null
  ) strict;

  create table objects (
    number integer primary key,
    slot integer not null references tokens (slot) on delete cascade,
    id text not null,
    version integer not null,
    isPrivate integer not null,
    tags blob not null,
    sealed blob not null,
    unique (slot, id)
  ) strict;
  create index objectsByAge on objects (slot, isPrivate, number, id);

  create table tags (
    slot integer not null references tokens (slot) on delete cascade,
    tag blob not null,
    object integer not null,
    primary key (slot, tag, object)
  ) strict, without rowid;
  `,
  `
  create table operations (
    slot integer not null references tokens (slot) on delete cascade,
    id integer not null,
    name text not null,
    begun integer not null,
    isPrivate integer not null,
    finished integer not null,
    sealed blob not null,
    primary key (slot, id)
  ) strict;
  `,
]

/** "Stok", PRAGMA application_id: tells a store from any other program's database. */
const APPLICATION_ID = 0x53746f6b

/** SQLITE_NOTADB. */
const NOT_A_DATABASE = 26

/**
 * What is set on each connection; secure_delete overwrites what was destroyed with zeros. The log is
 * written back at 4 MiB; one that a large transaction made longer is cut to that again.
 */
const SETTINGS = `
  pragma journal_size_limit = 4194304;
  pragma synchronous = full;
  pragma fullfsync = on;
  pragma checkpoint_fullfsync = on;
  pragma secure_delete = on;
  pragma foreign_keys = on;
  pragma trusted_schema = off;
  pragma cell_size_check = on;
`

const RESTORE = 'stop Softoki, keep the file, and put a backup in its place'

/** Result codes of SQLite (sqlite.org/rescode.html), the return value and what to do. */
const explanations = new Map<number, readonly [rv: number, what: string]>([
  [5, [CKR.DEVICE_ERROR, 'another process holds it: end that process, or try again later']],
  [7, [CKR.HOST_MEMORY, 'there is no memory left to work on it']],
  [8, [CKR.TOKEN_WRITE_PROTECTED, 'it may only be read: make it and its folder writable']],
  [10, [CKR.DEVICE_ERROR, 'it cannot be read or written: see that it is a file, and to its disk']],
  [11, [CKR.DEVICE_ERROR, `it is damaged: ${RESTORE}`]],
  [13, [CKR.DEVICE_MEMORY, 'the disk is full: make room']],
  [14, [CKR.DEVICE_ERROR, 'it cannot be opened: see to the rights on it and its folder']],
  [NOT_A_DATABASE, [CKR.DEVICE_ERROR, `it is damaged: ${RESTORE}`]],
])

const explainFor =
  (file: string): Explain =>
  (error) => {
    const code = resultCode(error)
    if (code === undefined || !(error instanceof Error)) return error
    const [rv, what] = explanations.get(code) ?? [CKR.DEVICE_ERROR, error.message]
    return new CryptokiError(rv, `${file}: ${what}`, { cause: error })
  }

const refuse = (file: string, why: string, cause?: unknown) =>
  new CryptokiError(CKR.DEVICE_ERROR, `${file} ${why}`, { cause })

/**
 * Makes the file where there is none, empty and with mode 0600, which SQLite gives to -wal and -shm as
 * well. A file that is there is opened by SQLite alone: closing it here would drop the locks of every
 * other connection this process has to it (sqlite.org/howtocorrupt.html, 2.2).
 */
function makeFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return
    const why = error instanceof Error ? error.message : 'for no reason told'
    throw refuse(file, `cannot be made (${why}): see to its folder`, error)
  }
}

/**
 * Throws unless the file is empty or a store, and touches nothing: `immutable` reads the first page and
 * takes no lock, makes no -wal and no -shm. SQLite itself would take a file of a few bytes for an empty
 * database and write over it.
 */
function inspect(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.size === 0) return
  const url = pathToFileURL(file)
  url.searchParams.set('immutable', '1')
  const database = new DatabaseSync(url, { readOnly: true })
  try {
    if (numberOf(database, 'application_id') === APPLICATION_ID) return
  } catch (error) {
    if (resultCode(error) !== NOT_A_DATABASE) throw error
  } finally {
    database.close()
  }
  throw refuse(file, 'is no store of Softoki and was left as it is: name another file')
}

/** The number that a pragma answers. */
function numberOf(database: DatabaseSync, pragma: string): number {
  return Number(database.prepare(`pragma ${pragma}`).get()?.[pragma])
}

/** Applies the next migration; false where none was left. */
function migrateOnce(database: DatabaseSync): boolean {
  database.exec('begin immediate')
  try {
    const version = numberOf(database, 'user_version')
    const migration = migrations[version]
    if (migration !== undefined) database.exec(`${migration}; pragma user_version = ${version + 1}`)
    database.exec('commit')
    return migration !== undefined
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}

/** Brings the schema up to date, each version in one transaction. Throws where it is from the future. */
async function migrate(database: DatabaseSync, file: string): Promise<void> {
  const version = await whenFree(() => numberOf(database, 'user_version'))
  const ours = migrations.length
  if (version > ours)
    throw refuse(file, `has schema ${version}, this Softoki knows up to ${ours}: update Softoki`)
  if (version === ours) return
  while (await whenFree(() => migrateOnce(database)));
}

/** Puts the settings of the file and of the connection in force. */
async function prepare(database: DatabaseSync): Promise<void> {
  await whenFree(() => database.exec(SETTINGS))
  if ((await whenFree(() => numberOf(database, 'application_id'))) !== APPLICATION_ID)
    await whenFree(() => database.exec(`pragma application_id = ${APPLICATION_ID}`))
  await whenFree(() => database.exec('pragma journal_mode = wal'))
}

/** Opens the database and looks into it, so that kysely closes it later and a damaged table shows now. */
async function openDatabase(file: string, explain: Explain): Promise<Store> {
  makeFile(file)
  await whenFree(() => inspect(file))
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    await prepare(database)
    await migrate(database, file)
    const store = new SqlStore(
      new Kysely<Schema>({ dialect: new SqliteDialect(database, explain) }),
    )
    await store.slots()
    return store
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * Opens the store in a file, made with mode 0600 where there is none; its folder must be there. Any
 * number of processes may have it open; a listener hears of changes made through its own store only.
 * Throws CKR_DEVICE_ERROR where the file is no store, damaged, or of a later version, and leaves it.
 */
export async function openSqliteStore(file: string): Promise<Store> {
  const path = resolve(file)
  const explain = explainFor(path)
  try {
    return await openDatabase(path, explain)
  } catch (error) {
    throw explain(error)
  }
}
