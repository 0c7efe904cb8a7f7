/**
 * A process that works on a store and prints each result the moment it has it, until it is killed:
 * writer.ts FILE create SLOT | count SLOT | slots NUMBER
 */
import { writeSync } from 'node:fs'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { newObject } from './contract.ts'

const [file = '', task = '', number = ''] = process.argv.slice(2)
const store = await openSqliteStore(file)
const print = (line: string | number | undefined) => writeSync(1, `${line}\n`)

if (task === 'slots') {
  for (let made = 0; made < Number(number); made++) print((await store.addSlot()).slot)
  await store.close()
} else {
  for (;;) {
    if (task === 'count') {
      print(await store.countAttempt(Number(number), 'user', 1e9))
    } else {
      const object = newObject()
      await store.createObjects(Number(number), [object])
      print(object.id)
    }
  }
}
