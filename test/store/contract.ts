/** What every store promises, whatever database stands behind it. */
import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CKR } from '../../src/standard/constants.ts'
import { CryptokiError } from '../../src/standard/error.ts'
import type { ObjectRecord, OperationRecord, Store, TokenRecord } from '../../src/store/store.ts'

/** A database of its own for one test; `open` may be called again and again for the same one. */
export interface Place {
  open(): Promise<Store>
  remove(): Promise<void>
}

export const newToken = (change: Partial<TokenRecord> = {}): TokenRecord => ({
  label: 'a token',
  soKey: new Uint8Array(randomBytes(91)),
  userKey: null,
  publicKey: new Uint8Array(randomBytes(32)),
  soFailures: 0,
  userFailures: 0,
  userPinToBeChanged: false,
  ...change,
})

export const newTag = (): Uint8Array => new Uint8Array(randomBytes(16))

export const newObject = (change: Partial<ObjectRecord> = {}): ObjectRecord => ({
  id: randomBytes(16).toString('hex'),
  version: 1,
  isPrivate: true,
  sealed: new Uint8Array(randomBytes(200)),
  tags: [newTag(), newTag()],
  ...change,
})

/** Matches a CryptokiError with the return value, and with the text in its message where given. */
export const throwing =
  (rv: number, text = '') =>
  (error: unknown): boolean => {
    assert.ok(error instanceof CryptokiError, String(error))
    assert.equal(error.rv, rv, error.message)
    assert.ok(error.message.includes(text), error.message)
    return true
  }

/** A slot with a fresh token in it. */
export async function tokenIn(store: Store, change: Partial<TokenRecord> = {}): Promise<number> {
  const { slot } = await store.addSlot()
  await store.initToken(slot, newToken(change))
  return slot
}

/** The store keeps bytes; whether as Uint8Array or as Buffer is its own affair. */
const plain = (record: ObjectRecord | undefined) =>
  record && {
    ...record,
    sealed: new Uint8Array(record.sealed),
    tags: record.tags.map((tag) => new Uint8Array(tag)),
  }

export function storeContract(name: string, newPlace: () => Promise<Place>): void {
  const inPlace = (work: (place: Place) => Promise<void>) => async () => {
    const place = await newPlace()
    try {
      await work(place)
    } finally {
      await place.remove()
    }
  }

  /** With a store open, closed afterwards. */
  const inStore = (work: (store: Store, place: Place) => Promise<void>) =>
    inPlace(async (place) => {
      const store = await place.open()
      try {
        await work(store, place)
      } finally {
        await store.close()
      }
    })

  describe(`${name}: slots`, () => {
    test(
      'a new store has no slot',
      inStore(async (store) => {
        assert.deepEqual(await store.slots(), [])
        assert.equal(await store.slot(0), undefined)
      }),
    )

    test(
      'slots are numbered from 0 and have serial numbers of their own, and no token',
      inStore(async (store) => {
        const made = [await store.addSlot(), await store.addSlot(), await store.addSlot()]
        assert.deepEqual(
          made.map(({ slot }) => slot),
          [0, 1, 2],
        )
        assert.equal(new Set(made.map(({ serial }) => serial)).size, 3)
        for (const { serial, token } of made) {
          assert.match(serial, /^[0-9a-f]{16}$/)
          assert.equal(token, null)
        }
        assert.deepEqual(await store.slots(), made)
        assert.deepEqual(await store.slot(1), made[1])
      }),
    )

    test(
      'the number of a removed slot is never given again, not even that of the last one',
      inStore(async (store) => {
        await tokenIn(store)
        const last = await tokenIn(store)
        const object = newObject()
        await store.createObjects(last, [object])
        await store.removeSlot(last)
        assert.equal(await store.slot(last), undefined)
        assert.equal((await store.slots()).length, 1)
        assert.equal(await store.object(last, object.id), undefined)
        assert.equal((await store.addSlot()).slot, last + 1)
        await assert.rejects(store.removeSlot(last), throwing(CKR.SLOT_ID_INVALID))
        await assert.rejects(store.initToken(last, newToken()), throwing(CKR.SLOT_ID_INVALID))
      }),
    )
  })

  describe(`${name}: tokens`, () => {
    test(
      'a token is kept as it was given, also when the store is opened again',
      inPlace(async (place) => {
        const token = newToken({
          label: 'Schlüssel ☃',
          userKey: new Uint8Array(randomBytes(91)),
          soFailures: 1,
          userFailures: 2,
          userPinToBeChanged: true,
        })
        const first = await place.open()
        const { slot, serial } = await first.addSlot()
        await first.initToken(slot, token)
        assert.deepEqual(await first.slot(slot), { slot, serial, token })
        await first.close()
        const second = await place.open()
        assert.deepEqual(await second.slots(), [{ slot, serial, token }])
        await second.close()
      }),
    )

    test(
      'a token initialised again keeps the serial number and loses every object, of its slot only',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const other = await tokenIn(store)
        const object = newObject()
        await store.createObjects(slot, [object])
        await store.createObjects(other, [object])
        const before = await store.slot(slot)
        const token = newToken({ label: 'again' })
        await store.initToken(slot, token)
        assert.deepEqual(await store.slot(slot), { ...before, token })
        assert.deepEqual(await store.findObjects(slot, true, []), [])
        assert.deepEqual(await store.findObjects(slot, true, [...object.tags]), [])
        assert.deepEqual(await store.findObjects(other, true, [...object.tags]), [object.id])
      }),
    )

    test(
      'updateToken changes the fields it is given and no other',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const before = (await store.slot(slot))?.token
        const change = { userKey: new Uint8Array(randomBytes(91)), userPinToBeChanged: true }
        await store.updateToken(slot, change)
        await store.updateToken(slot, {})
        assert.deepEqual((await store.slot(slot))?.token, { ...before, ...change })
        await store.updateToken(slot, { userKey: null })
        assert.equal((await store.slot(slot))?.token?.userKey, null)
      }),
    )

    test(
      'a slot without a token has nothing to update, count or fill',
      inStore(async (store) => {
        const { slot } = await store.addSlot()
        const refused = throwing(CKR.TOKEN_NOT_RECOGNIZED)
        await assert.rejects(store.updateToken(slot, { label: 'x' }), refused)
        await assert.rejects(store.countAttempt(slot, 'so', 3), refused)
        await assert.rejects(store.clearAttempts(slot, 'so'), refused)
        await assert.rejects(store.createObjects(slot, [newObject()]), refused)
      }),
    )
  })

  describe(`${name}: PIN attempts`, () => {
    test(
      'attempts are counted up to the limit and not beyond, for each PIN by itself',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const tries = []
        for (let attempt = 0; attempt < 5; attempt++)
          tries.push(await store.countAttempt(slot, 'user', 3))
        assert.deepEqual(tries, [1, 2, 3, undefined, undefined])
        assert.equal(await store.countAttempt(slot, 'so', 3), 1)
        const token = (await store.slot(slot))?.token
        assert.equal(token?.userFailures, 3)
        assert.equal(token?.soFailures, 1)
      }),
    )

    test(
      'the right PIN sets its own failures back to 0',
      inStore(async (store) => {
        const slot = await tokenIn(store, { soFailures: 2, userFailures: 2 })
        await store.clearAttempts(slot, 'user')
        assert.equal((await store.slot(slot))?.token?.userFailures, 0)
        assert.equal((await store.slot(slot))?.token?.soFailures, 2)
        await store.clearAttempts(slot, 'so')
        assert.equal(await store.countAttempt(slot, 'so', 3), 1)
      }),
    )

    test(
      'attempts made at the same moment through two stores are all counted',
      inStore(async (store, place) => {
        const slot = await tokenIn(store)
        const second = await place.open()
        const counted = await Promise.all(
          Array.from({ length: 10 }, (_, index) =>
            (index % 2 === 0 ? store : second).countAttempt(slot, 'user', 7),
          ),
        )
        const numbers = counted.filter((count) => count !== undefined).toSorted()
        assert.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7])
        await second.close()
      }),
    )
  })

  describe(`${name}: objects`, () => {
    test(
      'an object is kept as it was given',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const bare = newObject({ isPrivate: false, tags: [], sealed: new Uint8Array(0) })
        const full = newObject({ version: 2 ** 40 })
        await store.createObjects(slot, [bare, full])
        assert.deepEqual(plain(await store.object(slot, bare.id)), bare)
        assert.deepEqual(plain(await store.object(slot, full.id)), full)
        assert.equal(await store.object(slot + 1, full.id), undefined)
        assert.equal(await store.object(slot, 'f'.repeat(32)), undefined)
      }),
    )

    test(
      'objects are created all or none',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const [first, second] = [newObject(), newObject()]
        await store.createObjects(slot, [second])
        await assert.rejects(
          store.createObjects(slot, [first, second]),
          throwing(CKR.DEVICE_ERROR, ''),
        )
        assert.equal(await store.object(slot, first.id), undefined)
        assert.deepEqual(await store.findObjects(slot, true, [...first.tags]), [])
        await store.createObjects(slot, [first])
        assert.deepEqual(await store.findObjects(slot, true, []), [second.id, first.id])
      }),
    )

    test(
      'a tag of another length than 16 bytes is refused and nothing is made',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const object = newObject({ tags: [newTag(), new Uint8Array(15)] })
        await assert.rejects(store.createObjects(slot, [object]), throwing(CKR.GENERAL_ERROR))
        assert.equal(await store.object(slot, object.id), undefined)
      }),
    )

    test(
      'replaceObject replaces the version before and refuses any other',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const [kept, dropped, added] = [newTag(), newTag(), newTag()]
        const object = newObject({ tags: [kept, dropped] })
        await store.createObjects(slot, [object])
        const next = { ...object, version: 2, sealed: newTag(), tags: [kept, added] }
        assert.equal(await store.replaceObject(slot, { ...next, version: 1 }), false)
        assert.equal(await store.replaceObject(slot, { ...next, version: 3 }), false)
        assert.deepEqual(plain(await store.object(slot, object.id)), object)

        assert.equal(await store.replaceObject(slot, next), true)
        assert.equal(await store.replaceObject(slot, next), false)
        assert.deepEqual(plain(await store.object(slot, object.id)), next)
        assert.deepEqual(await store.findObjects(slot, true, [dropped]), [])
        assert.deepEqual(await store.findObjects(slot, true, [kept, added]), [object.id])
        assert.equal(await store.replaceObject(slot, newObject({ version: 2 })), false)
      }),
    )

    test(
      'of two changes to the same version one wins',
      inStore(async (store, place) => {
        const slot = await tokenIn(store)
        const object = newObject()
        await store.createObjects(slot, [object])
        const second = await place.open()
        const next = { ...object, version: 2 }
        const outcomes = await Promise.all([
          store.replaceObject(slot, next),
          second.replaceObject(slot, next),
        ])
        assert.deepEqual(outcomes.toSorted(), [false, true])
        await second.close()
      }),
    )

    test(
      'a destroyed object is gone, and destroying it again answers false',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const [object, other] = [newObject(), newObject()]
        await store.createObjects(slot, [object, other])
        assert.equal(await store.destroyObject(slot, object.id), true)
        assert.equal(await store.destroyObject(slot, object.id), false)
        assert.equal(await store.object(slot, object.id), undefined)
        assert.deepEqual(await store.findObjects(slot, true, [...object.tags]), [])
        assert.deepEqual(await store.findObjects(slot, true, []), [other.id])
      }),
    )
  })

  describe(`${name}: finding`, () => {
    test(
      'what carries all the tags is found, oldest first, private and public apart',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const tags = Array.from({ length: 6 }, newTag)
        const subsets = fc.array(fc.record({ isPrivate: fc.boolean(), tags: fc.subarray(tags) }), {
          minLength: 1,
          maxLength: 12,
        })
        const made: ObjectRecord[] = []
        await fc.assert(
          fc.asyncProperty(
            subsets,
            fc.subarray(tags),
            fc.boolean(),
            async (some, asked, isPrivate) => {
              const objects = some.map(newObject)
              await store.createObjects(slot, objects)
              made.push(...objects)
              const expected = made
                .filter((object) => object.isPrivate === isPrivate)
                .filter((object) => asked.every((tag) => object.tags.includes(tag)))
                .map(({ id }) => id)
              assert.deepEqual(await store.findObjects(slot, isPrivate, asked), expected)
            },
          ),
          { numRuns: 60, endOnFailure: true },
        )
      }),
    )

    test(
      'a tag given twice asks for no more than once',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const tag = newTag()
        const object = newObject({ tags: [tag, tag] })
        await store.createObjects(slot, [object])
        assert.deepEqual(await store.findObjects(slot, true, [tag, tag]), [object.id])
        assert.equal(await store.destroyObject(slot, object.id), true)
      }),
    )

    test(
      'tags of one token find nothing in another',
      inStore(async (store) => {
        const [slot, other] = [await tokenIn(store), await tokenIn(store)]
        const object = newObject()
        await store.createObjects(slot, [object])
        assert.deepEqual(await store.findObjects(other, true, [...object.tags]), [])
        assert.deepEqual(await store.findObjects(other, true, []), [])
      }),
    )

    test(
      'a search for a thousand tags is answered',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const tags = Array.from({ length: 1024 }, newTag)
        const object = newObject({ tags })
        await store.createObjects(slot, [object])
        assert.deepEqual(await store.findObjects(slot, true, tags), [object.id])
        assert.deepEqual(await store.findObjects(slot, true, [...tags.slice(1), newTag()]), [])
      }),
    )
  })

  describe(`${name}: operations`, () => {
    const newOperation = (change: Partial<OperationRecord> = {}): OperationRecord => ({
      id: randomInt(2 ** 47),
      name: 'C_GenerateKeyPair',
      begun: Date.now(),
      isPrivate: true,
      finished: false,
      sealed: new Uint8Array(randomBytes(200)),
      ...change,
    })
    const all = async (store: Store, slot: number) =>
      (await store.operations(slot)).map((record) => ({
        ...record,
        sealed: new Uint8Array(record.sealed),
      }))

    test(
      'an operation is kept, finished and dropped',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const first = newOperation({ begun: 1 })
        const second = newOperation({ begun: 2, id: 2 ** 53 - 1 })
        await store.keepOperation(slot, second)
        await store.keepOperation(slot, first)
        assert.deepEqual(await all(store, slot), [first, second])
        const sealed = new Uint8Array(randomBytes(100))
        assert.equal(await store.finishOperation(slot, first.id, sealed), true)
        assert.deepEqual(await all(store, slot), [{ ...first, finished: true, sealed }, second])
        assert.equal(await store.dropOperation(slot, first.id), true)
        assert.equal(await store.dropOperation(slot, first.id), false)
        assert.equal(await store.finishOperation(slot, first.id, sealed), false)
        assert.deepEqual(await all(store, slot), [second])
      }),
    )

    test(
      'objects are made and their operation is dropped in one step, or neither is',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const operation = newOperation()
        await store.keepOperation(slot, operation)
        const object = newObject()
        const twice = [object, object]
        await assert.rejects(store.createObjects(slot, twice, operation.id))
        assert.deepEqual(await all(store, slot), [operation])
        await store.createObjects(slot, [object], operation.id)
        assert.deepEqual(await all(store, slot), [])
        assert.deepEqual(plain(await store.object(slot, object.id)), object)
      }),
    )

    test(
      'operations fall with their token',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        await store.keepOperation(slot, newOperation())
        await store.initToken(slot, newToken())
        assert.deepEqual(await all(store, slot), [])
        await assert.rejects(
          store.keepOperation((await store.addSlot()).slot, newOperation()),
          throwing(CKR.TOKEN_NOT_RECOGNIZED),
        )
      }),
    )
  })

  describe(`${name}: several at once`, () => {
    test(
      'two stores on one database see what the other wrote',
      inStore(async (store, place) => {
        const second = await place.open()
        const slot = await tokenIn(store)
        assert.deepEqual(await second.slots(), await store.slots())
        const object = newObject()
        await second.createObjects(slot, [object])
        assert.deepEqual(plain(await store.object(slot, object.id)), object)
        await store.destroyObject(slot, object.id)
        assert.equal(await second.object(slot, object.id), undefined)
        await second.close()
        assert.equal((await store.addSlot()).slot, slot + 1)
      }),
    )

    test(
      'writes through two stores at the same moment all arrive',
      inStore(async (store, place) => {
        const slot = await tokenIn(store)
        const second = await place.open()
        const objects = Array.from({ length: 20 }, () => newObject())
        await Promise.all(
          objects.map((object, index) =>
            (index % 2 === 0 ? store : second).createObjects(slot, [object]),
          ),
        )
        const found = await store.findObjects(slot, true, [])
        assert.deepEqual(found.toSorted(), objects.map(({ id }) => id).toSorted())
        await second.close()
      }),
    )

    test(
      'of writes at the same moment one that fails spoils no other, and each sees those before it',
      inStore(async (store) => {
        const slot = await tokenIn(store)
        const objects = Array.from({ length: 100 }, () => newObject())
        const twice = newObject()
        const made = objects.map((object) => store.createObjects(slot, [object]))
        const wrong = [
          store.createObjects(slot + 1, [newObject()]),
          store.createObjects(slot, [newObject(), twice, twice]),
        ]
        const changed = objects.map((object) =>
          store.replaceObject(slot, { ...object, version: 2 }),
        )
        const destroyed = objects.slice(50).map(({ id }) => store.destroyObject(slot, id))
        for (const each of wrong) await assert.rejects(each)
        await Promise.all(made)
        assert.deepEqual(new Set(await Promise.all([...changed, ...destroyed])), new Set([true]))
        const left = objects.slice(0, 50).map(({ id }) => id)
        assert.deepEqual(await store.findObjects(slot, true, []), left)
        assert.equal((await store.object(slot, left[0] as string))?.version, 2)
      }),
    )

    test(
      'a store that is closed finishes first what it was asked for',
      inPlace(async (place) => {
        const store = await place.open()
        const slot = await tokenIn(store)
        const object = newObject()
        const made = store.createObjects(slot, [object])
        await store.close()
        await made
        const again = await place.open()
        assert.deepEqual(plain(await again.object(slot, object.id)), object)
        await again.close()
      }),
    )

    test(
      'listeners are told once a change is committed, and of no call that changed nothing',
      inStore(async (store) => {
        const told: (readonly [number, string | undefined, boolean | undefined])[] = []
        store.onChange((slot, object, destroyed) => told.push([slot, object, destroyed]))
        const slot = await tokenIn(store)
        const object = newObject()
        await store.createObjects(slot, [object])
        await store.replaceObject(slot, { ...object, version: 2 })
        await store.replaceObject(slot, { ...object, version: 2 })
        await store.countAttempt(slot, 'user', 1)
        await store.countAttempt(slot, 'user', 1)
        await store.clearAttempts(slot, 'user')
        await store.destroyObject(slot, object.id)
        await store.destroyObject(slot, object.id)
        await assert.rejects(store.createObjects(slot + 1, [object]))
        await store.removeSlot(slot)
        const ofSlot = [slot, undefined, false]
        const ofObject = [slot, object.id, false]
        const ofDestroyed = [slot, object.id, true]
        assert.deepEqual(told, [
          ofSlot,
          ofSlot,
          ofObject,
          ofObject,
          ofSlot,
          ofSlot,
          ofDestroyed,
          ofSlot,
        ])
      }),
    )

    test(
      'a store that is closed twice stays closed, and its calls fail',
      inPlace(async (place) => {
        const store = await place.open()
        await store.close()
        await store.close()
        await assert.rejects(store.slots())
      }),
    )
  })
}
