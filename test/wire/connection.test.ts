import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type CallContext, dataOf, type Parameter } from '../../src/standard/calls.ts'
import { CKM, CKN, CKR, CKU } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import type { Notify, Progress } from '../../src/standard/progress.ts'
import { connect } from '../../src/wire/client.ts'
import { WireError } from '../../src/wire/reader.ts'
import { parameters } from './arbitraries.ts'
import { served, servedBySocket } from './dummy.ts'

const MIB = 1 << 20

const BEGINNING: Progress = { elapsed: 0 }

const failsWith = (name: keyof typeof CKR) => (error: unknown) => {
  assert.ok(error instanceof CryptokiError)
  assert.equal(error.rv, CKR[name])
  return true
}

/** Resolves when the signal is aborted, as a function at its surrender point does. */
const untilStopped = (signal: AbortSignal | undefined) =>
  new Promise<never>((_, reject) =>
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
  )

const untilTrue = async (condition: () => boolean) => {
  while (!condition()) await turn()
}

/** Bytes that tell their own offset. */
const pattern = (offset: number, length: number) => {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at += 4096)
    bytes.writeUInt32BE(offset + at, Math.min(at, length - 4))
  return bytes
}

test('a call goes to the application and its answer comes back', async (t) => {
  const info = { slotID: 1, state: 3, flags: 6, deviceError: 0 }
  const { client, programs } = await served(t, { C_GetSessionInfo: () => info })
  assert.deepEqual(await client.call('C_GetSessionInfo', [9]), info)
  assert.deepEqual(programs, ['a test'])
})

test('an error arrives with its return value; one that nobody foresaw is logged and general', async (t) => {
  const { client, logged } = await served(t, {
    C_Logout: () => {
      throw new CryptokiError(CKR.USER_NOT_LOGGED_IN, 'nobody')
    },
    C_DestroyObject: async () => {
      throw new RangeError('a mistake')
    },
  })
  await assert.rejects(async () => client.call('C_Logout', [1]), failsWith('USER_NOT_LOGGED_IN'))
  assert.equal(logged.length, 0)
  await assert.rejects(
    async () => client.call('C_DestroyObject', [1, 2]),
    failsWith('GENERAL_ERROR'),
  )
  assert.deepEqual(
    logged.map((error) => error instanceof RangeError),
    [true],
  )
})

const typeOf = (structure: string) => parameters.find(([, name]) => name === structure)?.[0] ?? 0

test('values that a function gives back reach the caller ahead of the answer, and of an error', async (t) => {
  const version = { major: 0, minor: 0 }
  const parameter = { prfHashMechanism: 1, sessionHash: Buffer.alloc(4), version }
  const type = typeOf('CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS')
  const { client } = await served(t, {
    C_DeriveKey: async ([, mechanism, base]) => {
      mechanism?.answer?.({ version: { major: 3, minor: 1 } })
      await turn()
      mechanism?.answer?.({ version: { major: 3, minor: 3 } })
      if (base === 0) throw new CryptokiError(CKR.KEY_HANDLE_INVALID, 'none')
      return 8
    },
  })
  for (const base of [0, 1]) {
    const backs: Parameter[] = []
    const mechanism = { type, parameter, answer: (values: Parameter) => void backs.push(values) }
    const derived = client.call('C_DeriveKey', [1, mechanism, base, []])
    if (base === 0) await assert.rejects(async () => derived, failsWith('KEY_HANDLE_INVALID'))
    else assert.equal(await derived, 8)
    assert.deepEqual(backs, [
      { version: { major: 3, minor: 1 } },
      { version: { major: 3, minor: 3 } },
    ])
  }
})

test('a caller that throws while it takes values back has its error as the cause', async (t) => {
  const { client } = await served(t, {
    C_GenerateKey: ([, mechanism]) => {
      mechanism?.answer?.({ initVector: Buffer.from('8 bytes!') })
      return 1
    },
  })
  const thrown = new RangeError('not mine')
  const none = new Uint8Array(0)
  const parameter = { initVector: Buffer.alloc(8), password: none, salt: none, iteration: 1 }
  const answer = () => {
    throw thrown
  }
  const mechanism = { type: typeOf('CK_PBE_PARAMS'), parameter, answer }
  await assert.rejects(
    async () => client.call('C_GenerateKey', [1, mechanism, []]),
    (error: unknown) => error instanceof CryptokiError && error.cause === thrown,
  )
})

test('a message’s parameter is told from that of an operation, and comes back changed', async (t) => {
  const bytes = Buffer.from('iv')
  const message = { iv: bytes, ivFixedBits: 0, ivGenerator: 1, tag: Buffer.alloc(2), tagBits: 16 }
  const { client } = await served(t, {
    C_EncryptMessage: ([, given, aad]) => {
      assert.equal((given.parameter as Parameter).tagBits, 16)
      given.answer?.({ iv: Buffer.from('IV'), tag: Buffer.from('ok') })
      return aad ?? bytes
    },
  })
  const backs: Parameter[] = []
  const argument = {
    type: typeOf('CK_GCM_PARAMS'),
    parameter: message,
    answer: (values: Parameter) => void backs.push(values),
  }
  await client.call('C_EncryptMessage', [1, argument, bytes, dataOf(bytes), 10])
  assert.deepEqual(backs, [{ iv: Buffer.from('IV'), tag: Buffer.from('ok') }])
})

test('C_Initialize is once, and after C_Finalize there is no application', async (t) => {
  const { client, dummy } = await served(t, {})
  await assert.rejects(
    async () => client.call('C_Initialize', []),
    failsWith('CRYPTOKI_ALREADY_INITIALIZED'),
  )
  await client.call('C_Finalize', [])
  assert.equal(dummy.closed, 1)
  await assert.rejects(
    async () => client.call('C_Logout', [1]),
    failsWith('CRYPTOKI_NOT_INITIALIZED'),
  )
})

test('C_GetAttributeValue answers its attributes and its return value together', async (t) => {
  const answer = {
    answers: [{ type: 3, value: null, length: 2 ** 64 }],
    rv: CKR.ATTRIBUTE_SENSITIVE,
  }
  const { client } = await served(t, { C_GetAttributeValue: () => answer })
  const query = [{ type: 3, room: 10 }]
  assert.deepEqual(await client.call('C_GetAttributeValue', [1, 2, query]), answer)
})

test('a mechanism with a structure arrives by the names of its values', async (t) => {
  const [type] = parameters.find(([, name]) => name === 'CK_AES_CTR_PARAMS') ?? [0]
  const seen: unknown[] = []
  const { client } = await served(t, { C_SignInit: ([, mechanism]) => void seen.push(mechanism) })
  const parameter = { counterBits: 128, cb: Buffer.alloc(16, 1) }
  await client.call('C_SignInit', [1, { type, parameter }, 2])
  assert.deepEqual(seen, [{ type, parameter }])
  await assert.rejects(
    async () => client.call('C_SignInit', [1, { type: CKM.SHA256, parameter }, 2]),
    failsWith('MECHANISM_INVALID'),
  )
})

test('calls on one connection are answered as they end, not as they came', async (t) => {
  let release = () => {}
  const { client } = await served(t, {
    C_DigestFinal: () =>
      new Promise((resolve) => {
        release = () => resolve({ needed: 5 })
      }),
    C_GetObjectSize: () => {
      release()
      return 77
    },
  })
  const order: string[] = []
  const slow = Promise.resolve(client.call('C_DigestFinal', [1, null])).then((answer) => {
    order.push('slow')
    return answer
  })
  await turn()
  assert.equal(await client.call('C_GetObjectSize', [2, 3]), 77)
  order.push('quick')
  assert.deepEqual(await slow, { needed: 5 })
  assert.equal(order.length, 2)
})

test('a callback is called on the call it belongs to, with its progress, and its answer comes back', async (t) => {
  const answers: number[] = []
  const told: Progress[] = [
    { done: undefined, elapsed: 0, usual: undefined },
    { done: 0, elapsed: 50, usual: 3200 },
    { done: 0.25, elapsed: 3_600_000, usual: 0 },
    { done: 1, elapsed: 2 ** 40, usual: undefined },
  ]
  const { client } = await served(t, {
    C_GenerateKey: async (_, { notify }) => {
      for (const progress of told) answers.push((await notify?.(CKN.SURRENDER, progress)) ?? -1)
      return 5
    },
  })
  const called: unknown[] = []
  const notify: Notify = (event, progress) => {
    called.push([event, progress])
    return called.length
  }
  const mechanism = { type: CKM.AES_KEY_GEN, parameter: null }
  assert.equal(await client.call('C_GenerateKey', [1, mechanism, []], { notify }), 5)
  assert.deepEqual(answers, [1, 2, 3, 4])
  assert.deepEqual(
    called,
    told.map((progress) => [CKN.SURRENDER, progress]),
  )
})

test('a callback that throws makes the function fail, with what it threw as the cause', async (t) => {
  const { client } = await served(t, {
    C_SeedRandom: async (_, { notify }) => {
      if ((await notify?.(CKN.SURRENDER, BEGINNING)) === CKR.CANCEL)
        throw new CryptokiError(CKR.FUNCTION_CANCELED, 'cancelled')
    },
  })
  const thrown = new Error('mine')
  const notify = () => {
    throw thrown
  }
  await assert.rejects(
    async () => client.call('C_SeedRandom', [1, null], { notify }),
    (error) => failsWith('FUNCTION_FAILED')(error) && (error as Error).cause === thrown,
  )
})

test('a callback may call other functions on the same connection', async (t) => {
  const { client } = await served(t, {
    C_SeedRandom: async (_, { notify }) => void (await notify?.(CKN.SURRENDER, BEGINNING)),
    C_GetObjectSize: () => 3,
  })
  const sizes: unknown[] = []
  const notify = async () => {
    sizes.push(await client.call('C_GetObjectSize', [2, 3]))
    return CKR.OK
  }
  await client.call('C_SeedRandom', [1, null], { notify })
  assert.deepEqual(sizes, [3])
})

test('an aborted signal stops the function in the service', async (t) => {
  const { client } = await served(t, {
    C_GenerateKeyPair: (_, { signal }) => untilStopped(signal),
  })
  const stop = new AbortController()
  const mechanism = { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null }
  const call = client.call('C_GenerateKeyPair', [1, mechanism, [], []], { signal: stop.signal })
  await turn()
  stop.abort()
  await assert.rejects(Promise.resolve(call), failsWith('FUNCTION_CANCELED'))
  await assert.rejects(
    async () => client.call('C_Logout', [1], { signal: stop.signal }),
    failsWith('FUNCTION_CANCELED'),
  )
})

test('a client that vanishes stops its functions and closes its application', async (t) => {
  let stopped: unknown
  const { client, dummy, stream, connection } = await served(t, {
    C_WaitForSlotEvent: async (_, { signal }) =>
      untilStopped(signal).catch((error) => {
        stopped = error
        throw error
      }),
  })
  const call = Promise.resolve(client.call('C_WaitForSlotEvent', [0]))
  await turn()
  stream.destroy()
  await assert.rejects(call, failsWith('DEVICE_REMOVED'))
  await connection.over
  assert.ok(failsWith('FUNCTION_CANCELED')(stopped))
  assert.equal(dummy.closed, 1)
})

test('a service that stops answers what runs and closes the application', async (t) => {
  const { client, dummy, connection } = await served(t, {
    C_WaitForSlotEvent: (_, { signal }) => untilStopped(signal),
  })
  const call = Promise.resolve(client.call('C_WaitForSlotEvent', [0]))
  await turn()
  const [, stopped] = await Promise.all([
    connection.close(),
    assert.rejects(call, failsWith('FUNCTION_CANCELED')),
  ])
  assert.equal(stopped, undefined)
  assert.equal(dummy.closed, 1)
  await assert.rejects(async () => client.call('C_Logout', [1]), failsWith('DEVICE_REMOVED'))
})

test('data up to 1 MiB travels with the call', async (t) => {
  const { client } = await served(t, {
    C_DigestUpdate: ([, data]) => {
      const bytes = data.read(0, data.length)
      assert.ok(bytes instanceof Uint8Array)
      assert.ok(pattern(0, MIB).equals(bytes))
    },
  })
  await client.call('C_DigestUpdate', [1, dataOf(pattern(0, MIB))])
  const later = { length: MIB, read: async () => pattern(0, MIB) }
  await client.call('C_DigestUpdate', [1, later])
})

test('longer data is read from the client piece by piece, several pieces at once', async (t) => {
  const length = 5 * MIB + 8
  const { client } = await served(t, {
    C_DigestUpdate: async ([, data]) => {
      assert.equal(data.length, length)
      const [one, two, rest] = await Promise.all([
        data.read(0, MIB),
        data.read(MIB, 4),
        data.read(MIB + 4, 4 * MIB),
      ])
      assert.ok(pattern(0, MIB).equals(one))
      assert.ok(pattern(MIB, 4).equals(two))
      assert.equal(rest.length, 4 * MIB)
      assert.throws(() => data.read(length - 1, 2), RangeError)
    },
  })
  const whole = pattern(0, length)
  const read = (offset: number, wanted: number) => whole.subarray(offset, offset + wanted)
  await client.call('C_DigestUpdate', [1, { length, read }])
  await client.call('C_DigestUpdate', [1, { length, read: async (o, l) => read(o, l) }])
})

test('data that cannot be read makes the function fail, with the cause', async (t) => {
  const { client, logged } = await served(t, {
    C_DigestUpdate: async ([, data]) => void (await data.read(0, MIB)),
    C_GetObjectSize: () => 1,
  })
  const thrown = new Error('no disk')
  const read = () => {
    throw thrown
  }
  await assert.rejects(
    async () => client.call('C_DigestUpdate', [1, { length: 2 * MIB, read }]),
    (error) => failsWith('FUNCTION_FAILED')(error) && (error as Error).cause === thrown,
  )
  assert.equal(await client.call('C_GetObjectSize', [1, 2]), 1)
  assert.deepEqual(logged, [])
})

test('a READ that the answer overtook is answered and harms nobody', async (t) => {
  const { client } = await served(t, {
    C_DigestUpdate: ([, data]) => {
      data.read(0, MIB)
      throw new CryptokiError(CKR.OPERATION_NOT_INITIALIZED, 'no digest')
    },
    C_GetObjectSize: () => 1,
  })
  const read = async (offset: number, length: number) => pattern(offset, length)
  for (let round = 0; round < 3; round++) {
    await assert.rejects(
      async () => client.call('C_DigestUpdate', [1, { length: 2 * MIB, read }]),
      failsWith('OPERATION_NOT_INITIALIZED'),
    )
    assert.equal(await client.call('C_GetObjectSize', [1, 2]), 1)
  }
})

const putting =
  (length: number) =>
  async (_: unknown, { put }: CallContext) => {
    for (let at = 0; at < length; at += MIB) {
      const end = Math.min(at + MIB, length)
      await put?.(at, pattern(at, end - at))
    }
    return { put: length }
  }

test('output put ahead of the answer arrives as one', async (t) => {
  const length = 3 * MIB + 4096
  const { client } = await served(t, { C_Encrypt: putting(length) })
  const data = dataOf(new Uint8Array(0))
  const whole = await client.call('C_Encrypt', [1, data, length])
  assert.ok(whole instanceof Uint8Array)
  for (let at = 0; at < length; at += MIB)
    assert.ok(pattern(at, Math.min(MIB, length - at)).equals(whole.subarray(at, at + MIB)))
})

test('a client with a place for output takes it piece by piece', async (t) => {
  const length = 3 * MIB
  const { client } = await served(t, { C_Encrypt: putting(length) })
  const offsets: number[] = []
  const put = async (offset: number, bytes: Uint8Array) => {
    await turn()
    assert.ok(pattern(offset, bytes.length).equals(bytes))
    offsets.push(offset)
  }
  const data = dataOf(new Uint8Array(0))
  assert.deepEqual(await client.call('C_Encrypt', [1, data, length], { put }), { put: length })
  assert.deepEqual(offsets, [0, MIB, 2 * MIB])
})

test('an answer longer than a frame is put, whatever the function answers', async (t) => {
  const length = 17 * MIB + 5
  const { client } = await served(t, {
    C_GenerateRandom: ([, length]) => pattern(0, length),
    C_Decrypt: () => pattern(0, length),
  })
  const whole = pattern(0, length)
  const random = await client.call('C_GenerateRandom', [1, length])
  assert.ok(random !== null && whole.equals(random))
  const plain = await client.call('C_Decrypt', [1, dataOf(new Uint8Array(0)), length])
  assert.ok(plain instanceof Uint8Array && whole.equals(plain))
})

test('a put waits while the client does not read', async (t) => {
  const { client, stream, connection } = await servedBySocket(t, { C_Encrypt: putting(64 * MIB) })
  stream.pause()
  const call = Promise.resolve(client.call('C_Encrypt', [1, dataOf(new Uint8Array(0)), 64 * MIB]))
  const before = process.memoryUsage().arrayBuffers
  await untilTrue(() => connection.ready() !== undefined)
  for (let round = 0; round < 100; round++) await turn()
  assert.ok(connection.ready() !== undefined)
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 * MIB)
  stream.resume()
  assert.equal(((await call) as Uint8Array).length, 64 * MIB)
})

test('the PINs of a call are overwritten once it is answered', async (t) => {
  const kept: Uint8Array[] = []
  const { client } = await served(t, {
    C_Login: ([, , pin]) => {
      kept.push(pin ?? Buffer.alloc(0))
      assert.equal(Buffer.from(pin ?? []).toString(), '1234')
    },
  })
  const own = Buffer.from('1234')
  await client.call('C_Login', [1, CKU.USER, own])
  assert.deepEqual(
    kept.map((pin) => Buffer.from(pin)),
    [Buffer.alloc(4)],
  )
  assert.equal(own.toString(), '1234')
})

test('a client refuses what cannot travel, and goes on', async (t) => {
  const { client } = await served(t, { C_GetObjectSize: () => 1, C_CreateObject: () => 1 })
  await assert.rejects(async () => client.call('C_Logout', [-1]), failsWith('ARGUMENTS_BAD'))
  const value = Buffer.alloc(17 * MIB)
  await assert.rejects(
    async () => client.call('C_CreateObject', [1, [{ type: 0, value }]]),
    failsWith('ARGUMENTS_BAD'),
  )
  assert.equal(await client.call('C_GetObjectSize', [1, 2]), 1)
})

test('a bad frame ends its connection, is logged, and harms no other', async (t) => {
  const bad = await served(t, {})
  const good = await served(t, { C_GetObjectSize: () => 1 })
  bad.stream.write(Buffer.from('00000001'.repeat(3), 'hex'))
  bad.stream.write(Buffer.alloc(2))
  await bad.connection.over
  assert.ok(bad.logged[0] instanceof WireError)
  assert.equal(bad.dummy.closed, 1)
  await assert.rejects(async () => bad.client.call('C_Logout', [1]), failsWith('DEVICE_REMOVED'))
  assert.equal(await good.client.call('C_GetObjectSize', [1, 2]), 1)
})

test('a client tells a program that is no service, and a socket where nobody listens', async () => {
  const [here, there] = duplexPair()
  there.write(Buffer.of(0))
  await assert.rejects(connect(here), (error) => {
    assert.match(String((error as Error).cause), /no service of Softoki/)
    return failsWith('DEVICE_REMOVED')(error)
  })
  assert.ok(here.destroyed)
  await assert.rejects(connect('/nowhere/at/all'), /ENOENT/)
})
