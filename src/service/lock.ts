/** One service for one home: an exclusive lock on a file, which the kernel releases when its holder dies. */
import { DatabaseSync } from 'node:sqlite'

export interface Lock {
  release(): void
}

/** SQLITE_BUSY, sqlite.org/rescode.html. */
const BUSY = 5

const isBusy = (error: unknown) =>
  error instanceof Error && 'errcode' in error && error.errcode === BUSY

/**
 * Takes the lock for life; undefined where another process holds it, and throws where the file is
 * the trouble. SQLite brings the lock: a transaction that never ends and writes nothing.
 */
export function takeLock(file: string): Lock | undefined {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return { release: () => database.close() }
  } catch (error) {
    database.close()
    if (isBusy(error)) return undefined
    throw error
  }
}
