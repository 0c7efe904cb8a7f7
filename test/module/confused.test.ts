import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FunctionName } from '../../src/standard/calls.ts'
import { CKR } from '../../src/standard/constants.ts'
import { functions } from '../../src/standard/functions.ts'
import { structures } from '../../src/standard/structures.ts'
import {
  BACK,
  bytes,
  type Call,
  END,
  fakeService,
  PUT,
  READ,
  SURRENDER,
  surrender,
  u8,
  u32,
  u64,
} from './fake-service.ts'
import { compiled, ran } from './programs.ts'
import { blank, usual } from './usual-answers.ts'

/** A fixed sequence (xorshift32), so that a failure comes again. */
function sequence(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const EDGES = [0n, 1n, 16n, 48n, 49n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 63n, 2n ** 64n - 1n]

/** Those of 48 bytes have pointers where CK_GCM_PARAMS has them: so much a service is believed. */
const LAYOUTS = [
  ...[
    'pupu',
    '',
    'f16',
    'f99999',
    'f',
    'x',
    'u'.repeat(500),
    '-',
    '{',
    '{u',
    '{}',
    'u}',
    '*',
    '*{',
  ],
  ...['b', 'b@', 'b@9', '>', '{{{{u}}}}', 'a{up}', 'puupu', '!pu!pu', '>b/1u!pu', 'ppb@0', 'aupu'],
  ...['!p>r>u', '{!p}>*u>*vu', '!b@1uu!b@4uu', '!pu{!p}u', '!p>u!p>u'],
].map((row) => bytes(row))

/** A structure with pointers that lie in it and point into it, or do not. */
const image = (pick: (below: number) => number): Buffer =>
  Buffer.concat([
    bytes(Buffer.alloc(pick(48), pick(32))),
    u32(2),
    u32(pick(48)),
    pick(4) === 0 ? u32(0xfffffff9) : u32(pick(48)),
  ])

/** Values that are right in their shape, each of a size that may be wrong. */
function values(letters: string, layout: string, pick: (below: number) => number): Buffer {
  const number = () => u64(EDGES[pick(EDGES.length)] as bigint)
  const count = () => pick(8)
  const some = (length: number) => bytes(Buffer.alloc(length, 0x5a))
  const many = (n: number, make: () => Buffer) =>
    Buffer.concat([u32(n), ...Array.from({ length: n }, make)])
  const answer = (type: number, ...rest: Buffer[]) => Buffer.concat([u64(type), ...rest])
  const value = (type: number, length: number) => answer(type, u64(length), u8(1), some(length))
  const shapes: Record<string, () => Buffer> = {
    u: number,
    S: () => blank(layout),
    f: () =>
      [
        () => Buffer.concat([u8(0), number()]),
        () => Buffer.concat([u8(1), some(pick(100))]),
        () => Buffer.concat([u8(2), number()]),
        () => Buffer.concat([u8(3), image(pick)]),
      ][pick(4)]?.() as Buffer,
    g: () => some([48, 47, 49, 0][pick(4)] as number),
    L: () =>
      many(count(), () =>
        answer(0x1087, u8(pick(3)), LAYOUTS[pick(LAYOUTS.length + 1)] ?? u32(0xffffffff)),
      ),
    n: () => Buffer.concat([u8(1), many(count(), number)]),
    h: () => many(count(), number),
    Q: () =>
      Buffer.concat([
        u32(3),
        value(3, pick(18)),
        pick(4) === 0 ? value(0x11, pick(20)) : answer(0x11, number(), u8(pick(4) === 0 ? 2 : 0)),
        answer(
          0x40000211,
          u64(48),
          u8(2),
          many(1 + pick(4), () => value(1, pick(10))),
        ),
        u64(pick(2)),
      ]),
  }
  return Buffer.concat(Array.from(letters, (letter) => shapes[letter]?.() ?? number()))
}

const number = (pick: (below: number) => number) => u64(EDGES[pick(EDGES.length)] as bigint)

const LETTERS: Readonly<Record<string, string>> = {
  initArgs: 'L',
  ulongOut: 'u',
  structureOut: 'S',
  room: 'f',
  fill: 'g',
  list: 'n',
  found: 'h',
  query: 'Q',
}

function answerOf(name: string, pick: (below: number) => number): readonly [string, Buffer] {
  const args = functions[name as FunctionName].args as readonly {
    kind: string
    structure?: keyof typeof structures
  }[]
  const letters = args.map(({ kind }) => LETTERS[kind] ?? '').join('')
  const structure = args.find((row) => row.structure !== undefined)?.structure
  const layout = (structure && structures[structure].layout) ?? ''
  return [letters, values(letters, layout, pick)]
}

/** Answers CKR_PENDING, and asks for more than there is, or for something, or says that it is over. */
function goOnConfusedly(call: Call, pick: (below: number) => number): void {
  call.fail(CKR.PENDING)
  for (let i = pick(6); i > 0; i--) {
    const at = u64([0, 0, 1 << 20, 2 << 20, 2 ** 40][pick(5)] as number)
    const ways: (() => void)[] = [
      () => call.tell(PUT, 'ua', at, bytes('x'.repeat(pick(60)))),
      () => call.tell(READ, 'uu', at, u64([0, 100, 1 << 20, (1 << 20) + 1][pick(4)] as number)),
      () => call.tell(END, ''),
      () => call.tell(SURRENDER, ...surrender(0)),
      () => call.fail(0x30),
    ]
    ways[pick(pick(3) === 0 ? 5 : 2)]?.()
  }
  if (pick(4) > 0) call.tell(END, '')
}

/** Answers in one of the ways a service might be wrong. */
function confusedly(call: Call, pick: (below: number) => number): void {
  const [letters, right] = answerOf(call.name, pick)
  const session = call.values.length >= 8 ? call.u64(0) : 0
  const mutated = Buffer.from(right)
  for (let i = pick(3); i > 0 && mutated.length > 0; i--) mutated[pick(mutated.length)] = pick(256)
  const ways: (() => void)[] = [
    () => call.answer(letters, right),
    () => call.answer(letters, mutated),
    () => call.answer(letters, right.subarray(0, pick(right.length + 1))),
    () => call.answer(letters, right, u64(0)),
    () => call.answer(`${letters}u`, right),
    () => call.raw(Buffer.from(Array.from({ length: pick(60) }, () => pick(256)))),
    () => call.fail(pick(2) * 0x30),
    () =>
      call.tell(PUT, 'ua', u64(EDGES[pick(EDGES.length)] as bigint), bytes('x'.repeat(pick(60)))),
    () =>
      call.tell(
        BACK,
        'W',
        Buffer.concat(
          Array.from({ length: pick(6) }, () =>
            pick(3) === 0
              ? u8(0)
              : Buffer.concat([u8(1), pick(2) ? number(pick) : bytes('y'.repeat(pick(20)))]),
          ),
        ),
      ),
    () => call.tell(READ, 'uu', u64(EDGES[pick(EDGES.length)] as bigint), u64(pick(200))),
    () => call.tell(SURRENDER, ...surrender(pick(2) * session, { event: pick(3) })),
    () => call.socket.write(Buffer.concat([u32(pick(9)), u32(pick(2)), u32(0xfffffff0)])),
    () => call.socket.write(Buffer.concat([u32(1), u32(9999), u32(8), Buffer.alloc(10_007)])),
    () => call.socket.end(),
    () => call.tell(END, ''),
    () => goOnConfusedly(call, pick),
    () => goOnConfusedly(call, pick),
    () => {
      for (let i = 0; i < 40; i++) call.tell(SURRENDER, ...surrender(session))
    },
  ]
  ways[pick(ways.length)]?.()
  call.answer(letters, right)
}

test('a service that answers nonsense corrupts no memory of the application', async (t) => {
  const pick = sequence(0x50f70c1)
  let calls = 0
  const service = await fakeService((call) => {
    const isIntroduction = call.name === 'C_Initialize' && pick(4) > 0
    if (isIntroduction || call.name === 'C_Finalize' || call.name === 'C_OpenSession')
      return usual(call)
    if (call.name.startsWith('call ')) return
    calls++
    confusedly(call, pick)
  })
  t.after(() => service.close())
  const { code, stderr } = await ran(compiled({ file: 'confused.c' }), service.home, ['1500'])
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.ok(calls > 1500, `${calls} calls were answered`)
})
