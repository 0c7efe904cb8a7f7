/** node:sqlite under kysely: one connection, prepared statements kept, and patience with a busy file. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import {
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely'

/** Statements kept prepared; the store has about twenty, and some for each number of tags. */
const STATEMENTS_KEPT = 128

/** How long another process may hold the file, and how often to look again, in milliseconds. */
const PATIENCE = 10_000
const LOOK_AGAIN = 2

/** SQLITE_BUSY, sqlite.org/rescode.html. */
const BUSY = 5

/** The result code that SQLite gave, without its extension; undefined where the error is another's. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

/**
 * Does the work, again and again while another connection holds the file. SQLite's own busy timeout
 * is off: it would stop this thread, and with it the very connection of this process it waits for.
 */
export async function whenFree<T>(work: () => T): Promise<T> {
  const deadline = performance.now() + PATIENCE
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (resultCode(error) !== BUSY || performance.now() > deadline) throw error
    }
    await pause(LOOK_AGAIN)
  }
}

interface Prepared {
  readonly statement: StatementSync
  /** It answers rows. */
  readonly reads: boolean
}

const bindable = (parameter: unknown): SQLInputValue =>
  typeof parameter === 'boolean' ? Number(parameter) : (parameter as SQLInputValue)

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync
  readonly #explain: Explain
  readonly #statements = new Map<string, Prepared>()

  constructor(database: DatabaseSync, explain: Explain) {
    this.#database = database
    this.#explain = explain
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const values = parameters.map(bindable)
    try {
      return await whenFree(() => this.#run<R>(sql, values))
    } catch (error) {
      throw this.#explain(error)
    }
  }

  /** Demanded by the interface; the store never asks for it. */
  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('the SQLite store does not stream')
  }

  /** SQLite itself rolls back after some errors, such as a full disk. */
  get isTransaction(): boolean {
    return this.#database.isTransaction
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  #run<R>(sql: string, values: SQLInputValue[]): QueryResult<R> {
    const { statement, reads } = this.#prepared(sql)
    if (reads) return { rows: statement.all(...values) as R[] }
    const { changes } = statement.run(...values)
    return { rows: [], numAffectedRows: BigInt(changes) }
  }

  #prepared(sql: string): Prepared {
    const kept = this.#statements.get(sql)
    if (kept !== undefined) return kept
    const statement = this.#database.prepare(sql)
    const prepared = { statement, reads: statement.columns().length > 0 }
    const [oldest] = this.#statements.keys()
    if (this.#statements.size >= STATEMENTS_KEPT && oldest !== undefined)
      this.#statements.delete(oldest)
    this.#statements.set(sql, prepared)
    return prepared
  }
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection
  /** Resolves when the connection is free again; each user waits for the one before. */
  #free: Promise<void> = Promise.resolve()
  #release: () => void = () => {}

  constructor(database: DatabaseSync, explain: Explain) {
    this.#connection = new SqliteConnection(database, explain)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    const before = this.#free
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#free = promise
    await before
    this.#release = resolve
    return this.#connection
  }

  async releaseConnection(): Promise<void> {
    this.#release()
  }

  /** A transaction takes the write lock at once: one that asks for it later can be refused for good. */
  async beginTransaction(_: SqliteConnection, { accessMode }: TransactionSettings): Promise<void> {
    await this.#execute(accessMode === 'read only' ? 'begin' : 'begin immediate')
  }

  async commitTransaction(): Promise<void> {
    await this.#execute('commit')
  }

  async rollbackTransaction(): Promise<void> {
    if (this.#connection.isTransaction) await this.#execute('rollback')
  }

  async destroy(): Promise<void> {
    await this.acquireConnection()
    this.#connection.close()
    this.#release()
  }

  #execute(sql: string): Promise<unknown> {
    return this.#connection.executeQuery(CompiledQuery.raw(sql))
  }
}

/** Turns an error of SQLite into one of the house. */
export type Explain = (error: unknown) => unknown

/** kysely's dialect for an open database of node:sqlite, which `destroy` closes once it was used. */
export class SqliteDialect implements Dialect {
  readonly #database: DatabaseSync
  readonly #explain: Explain

  constructor(database: DatabaseSync, explain: Explain) {
    this.#database = database
    this.#explain = explain
  }

  createDriver(): Driver {
    return new SqliteDriver(this.#database, this.#explain)
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler()
  }

  createAdapter(): DialectAdapter {
    return new SqliteAdapter()
  }

  createIntrospector(database: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(database)
  }
}
