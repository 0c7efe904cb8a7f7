import assert from 'node:assert/strict'
import { type Duplex, duplexPair } from 'node:stream'
import { test } from 'node:test'
import type { OperationView } from '../../src/functions/operations.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import { Connection } from '../../src/wire/connection.ts'
import { type Operations, operationsOf } from '../../src/wire/operations.ts'
import { WireError } from '../../src/wire/reader.ts'
import { Dummy, protocolFor } from './dummy.ts'

/** The client's ends of connections to a service with these operations; what it complained of. */
function service(operations?: Operations) {
  const logged: unknown[] = []
  const connect = async (): Promise<Duplex> => {
    const [here, there] = duplexPair()
    // As with the two ends of a socket.
    there.on('close', () => here.destroy())
    const log = (error: unknown) => void logged.push(error)
    new Connection(there, { open: () => new Dummy(), protocolFor, operations, log })
    return here
  }
  return { connect, logged }
}

const views: readonly OperationView[] = [
  {
    id: 2 ** 47 - 1,
    name: 'C_Sign',
    slot: 3,
    token: 'naïve',
    program: 'a program',
    begun: 1_767_000_000_123,
    state: 'working',
    kept: false,
    progress: { done: 0.25, elapsed: 1200, usual: 3200 },
  },
  {
    id: 1,
    name: 'C_GenerateKey',
    slot: 0,
    token: '',
    program: '',
    begun: 0,
    state: 'interrupted',
    kept: true,
    progress: undefined,
  },
]

test('a list of operations arrives as it was, and a cancelled id with its answer', async () => {
  const asked: number[] = []
  const { connect } = service({
    list: async () => views,
    cancel: async (id) => {
      asked.push(id)
      return id === 1
    },
  })
  const operations = operationsOf(connect)
  assert.deepEqual(await operations.list(), views)
  assert.equal(await operations.cancel(1), true)
  assert.equal(await operations.cancel(2 ** 47 - 1), false)
  assert.deepEqual(asked, [1, 2 ** 47 - 1])
})

test('a list is cut to what a frame holds', async () => {
  const many = Array.from({ length: 20_000 }, () => ({
    ...(views[0] as OperationView),
    program: 'é'.repeat(4000),
  }))
  const { connect } = service({ list: async () => many, cancel: async () => false })
  const told = await operationsOf(connect).list()
  assert.equal(told.length, 10_000)
  assert.equal(told[0]?.program, 'é'.repeat(255))
})

test('a service that fails says so, and one that knows no operations ends the connection', async () => {
  const failing = async () => {
    throw new TypeError('nobody foresaw it')
  }
  const { connect, logged } = service({ list: failing, cancel: failing })
  await assert.rejects(operationsOf(connect).list(), CryptokiError)
  assert.match(String(logged[0]), /nobody foresaw it/)
  await assert.rejects(operationsOf(service().connect).list(), WireError)
})
