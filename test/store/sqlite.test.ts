import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { CKR } from '../../src/standard/constants.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { newObject, storeContract, throwing, tokenIn } from './contract.ts'

const inFolder = (work: (folder: string) => Promise<void>) => async () => {
  const folder = await mkdtemp(join(tmpdir(), 'softoki-store-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

storeContract('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'softoki-store-'))
  return {
    open: () => openSqliteStore(join(folder, 'tokens.db')),
    remove: () => rm(folder, { recursive: true }),
  }
})

/** Every file of a folder with what is in it. */
async function contents(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder)).toSorted()
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'latin1')))
  return new Map(names.map((name, index) => [name, texts[index] ?? '']))
}

/** Opening is refused with CKR_DEVICE_ERROR and words that name the file, and leaves the folder alone. */
async function isRefused(folder: string, file: string, ...words: string[]): Promise<void> {
  const before = await contents(folder)
  for (const word of [file, ...words])
    await assert.rejects(openSqliteStore(file), throwing(CKR.DEVICE_ERROR, word))
  assert.deepEqual(await contents(folder), before)
}

/** A store with a token in slot 0 and many objects, closed. */
async function filledStore(file: string): Promise<void> {
  const store = await openSqliteStore(file)
  const slot = await tokenIn(store)
  const objects = Array.from({ length: 50 }, () => newObject())
  await store.createObjects(slot, objects)
  await store.close()
}

const writer = join(import.meta.dirname, 'writer.ts')

/** Runs writer.ts, kills it with signal 9 the moment it printed so many lines, answers what it printed. */
async function printedUntilKilled(lines: number, ...words: string[]): Promise<string[]> {
  const child = spawn(process.execPath, [writer, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(child, 'close')
  const printed: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(line)
    if (printed.length === lines) child.kill('SIGKILL')
  }
  await gone
  return printed
}

describe('a SQLite store and its process', () => {
  test(
    'nothing that was created is lost when the process is killed',
    inFolder(async (folder) => {
      const file = join(folder, 'tokens.db')
      const first = await openSqliteStore(file)
      const slot = await tokenIn(first)
      await first.close()
      const created: string[] = []
      for (let round = 1; round <= 20; round++) {
        created.push(...(await printedUntilKilled(round, file, 'create', String(slot))))
        const store = await openSqliteStore(file)
        const kept = new Set(await store.findObjects(slot, true, []))
        assert.deepEqual(
          created.filter((id) => !kept.has(id)),
          [],
        )
        await store.close()
      }
      assert.ok(created.length >= 210)
    }),
  )

  test(
    'PIN attempts are counted when the process is killed',
    inFolder(async (folder) => {
      const file = join(folder, 'tokens.db')
      const first = await openSqliteStore(file)
      const slot = await tokenIn(first)
      await first.close()
      for (let round = 0; round < 3; round++) {
        const last = (await printedUntilKilled(3, file, 'count', String(slot))).at(-1)
        const store = await openSqliteStore(file)
        const failures = (await store.slot(slot))?.token?.userFailures ?? 0
        assert.ok(failures >= Number(last), `${failures} of ${last}`)
        await store.close()
      }
    }),
  )

  test(
    'processes that make the same store at the same moment share it',
    inFolder(async (folder) => {
      const file = join(folder, 'tokens.db')
      const made = await Promise.all(
        Array.from({ length: 3 }, () => printedUntilKilled(Infinity, file, 'slots', '10')),
      )
      const numbers = made.flat().map(Number)
      assert.deepEqual(
        numbers.toSorted((a, b) => a - b),
        Array.from({ length: 30 }, (_, slot) => slot),
      )
    }),
  )

  test(
    'a write waits while another program holds the file, and lets this one go on meanwhile',
    inFolder(async (folder) => {
      const file = join(folder, 'tokens.db')
      const store = await openSqliteStore(file)
      const other = new DatabaseSync(file)
      other.exec('begin immediate')
      let added = false
      const adding = store.addSlot().then(() => {
        added = true
      })
      await pause(30)
      assert.equal(added, false)
      other.exec('rollback')
      await adding
      other.close()
      await store.close()
    }),
  )
})

describe('the file of a SQLite store', () => {
  test(
    'is readable by its owner alone, and so are the files beside it',
    inFolder(async (folder) => {
      const store = await openSqliteStore(join(folder, 'tokens.db'))
      await tokenIn(store)
      const names = await readdir(folder)
      assert.deepEqual(names.toSorted(), ['tokens.db', 'tokens.db-shm', 'tokens.db-wal'])
      for (const name of names) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600)
      await store.close()
      assert.deepEqual(await readdir(folder), ['tokens.db'])
    }),
  )

  test(
    'holds nothing of a destroyed object',
    inFolder(async (folder) => {
      const file = join(folder, 'tokens.db')
      const store = await openSqliteStore(file)
      const slot = await tokenIn(store)
      const sealed = Buffer.from('a value that was sealed '.repeat(300))
      const object = newObject({ sealed })
      await store.createObjects(slot, [newObject(), object, newObject()])
      await store.destroyObject(slot, object.id)
      await store.close()
      assert.equal((await readFile(file)).includes('a value that was sealed'), false)
      assert.equal((await readFile(file)).includes(object.id), false)
    }),
  )

  test(
    'may be empty at first',
    inFolder(async (folder) => {
      const file = join(folder, 'tokens.db')
      await writeFile(file, '')
      const store = await openSqliteStore(file)
      assert.deepEqual(await store.slots(), [])
      await store.close()
    }),
  )

  test(
    'is refused in a folder that is not there, and where it is a folder itself',
    inFolder(async (folder) => {
      await isRefused(folder, join(folder, 'no', 'tokens.db'), 'see to its folder')
      await isRefused(folder, folder, 'see that it is a file')
    }),
  )

  test(
    'is refused where it is not a database, and left as it is',
    inFolder(async (folder) => {
      const file = join(folder, 'notes.txt')
      await writeFile(file, 'dear diary\n'.repeat(1000))
      await isRefused(folder, file, 'no store of Softoki', 'name another file')
      await writeFile(file, 'x')
      await isRefused(folder, file, 'no store of Softoki', 'name another file')
    }),
  )

  test(
    "is refused where it is another program's database, and left as it is",
    inFolder(async (folder) => {
      const file = join(folder, 'cookies.db')
      const theirs = new DatabaseSync(file)
      theirs.exec('pragma journal_mode = wal; create table cookies (name); pragma user_version = 1')
      theirs.exec("insert into cookies values ('session')")
      const [main, wal] = [await readFile(file), await readFile(`${file}-wal`)]
      theirs.close()
      await writeFile(file, main)
      await writeFile(`${file}-wal`, wal)
      await isRefused(folder, file, 'no store of Softoki', 'name another file')
    }),
  )

  test(
    'is refused where its schema is newer than the code, naming both versions',
    inFolder(async (folder) => {
      const file = join(folder, 'tokens.db')
      await filledStore(file)
      const later = new DatabaseSync(file)
      later.exec('pragma user_version = 42')
      later.close()
      await isRefused(folder, file, 'schema 42', 'up to 2', 'update Softoki')
    }),
  )

  test(
    'is refused where it is damaged, and left as it is',
    inFolder(async (folder) => {
      const whole = join(folder, 'whole.db')
      await filledStore(whole)
      const file = join(folder, 'tokens.db')
      for (const [from, length] of [
        [16, 84],
        [100, 3900],
        [4096, 4096],
      ] as const) {
        await cp(whole, file)
        const handle = await open(file, 'r+')
        await handle.write(new Uint8Array(length).fill(0xa5), 0, length, from)
        await handle.close()
        await isRefused(folder, file)
      }
      await writeFile(file, (await readFile(whole)).subarray(0, 5000))
      await isRefused(folder, file)
    }),
  )

  test(
    'answers CKR_DEVICE_ERROR for an object on a damaged page, and names the next step',
    inFolder(async (folder) => {
      const file = join(folder, 'tokens.db')
      await filledStore(file)
      const bytes = await readFile(file)
      await writeFile(file, bytes.fill(0xa5, bytes.length / 2))
      const store = await openSqliteStore(file)
      const read = async () => {
        for (const id of await store.findObjects(0, true, [])) await store.object(0, id)
      }
      await assert.rejects(read(), throwing(CKR.DEVICE_ERROR, 'put a backup in its place'))
      await store.close()
    }),
  )
})
