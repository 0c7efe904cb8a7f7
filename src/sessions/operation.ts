/**
 * An active operation of a session, and the output-length convention of section 5.2, here once for
 * every function that has it: no buffer asks the length; a buffer too small is told the length and
 * the operation stays; a result computed before it found room is kept until fetched.
 */
import type { Cipher, Recovery, Summary, Verification } from '../mechanisms/mechanism.ts'
import {
  type CallContext,
  type Data,
  dataOf,
  type Filled,
  type Loan,
  type MechanismArgument,
  type Room,
} from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Surrender } from '../surrender/surrender.ts'

/** Bytes worked on between two surrender points. */
export const STEP = 1 << 20

/**
 * What a message-based operation works with: what makes its messages, and the one that was begun and
 * has not ended. A message that fails or is cancelled ends; the operation goes on to the next one.
 */
export class MessageWorks<Source = unknown, Message = unknown> {
  readonly source: Source
  underWay: Message | undefined

  constructor(source: Source) {
    this.source = source
  }
}

/** What an operation works with: what the mechanism row's maker made. */
export type Works = Cipher | Summary | Verification | Recovery | MessageWorks

/** What an operation was begun with. */
export interface Beginning {
  /** CKM_ number. */
  readonly mechanism: number
  /** The object id of the key, where there is one. */
  readonly keyId?: string
  /** The mechanism as it was given, where the operation can begin again elsewhere. */
  readonly argument?: MechanismArgument
  /** The key asks for a login of its own. */
  readonly asksForLogin?: boolean
  /** Makes works like those the operation began with. */
  readonly again: () => Works | Promise<Works>
}

/** What a function does to an operation: all of it in one (C_Decrypt), a part (Update), or the end (Final). */
export type Step = 'whole' | 'part' | 'last'

/** A result that was computed before its length was known and did not fit its buffer. */
interface Held {
  readonly result: Uint8Array
  /** The step it is the result of; only that one fetches it. */
  readonly step: Step
}

export class Operation<W extends Works = Works> {
  readonly works: W
  /** CKM_ number. */
  readonly mechanism: number
  /** The object id of the key, where there is one. */
  readonly keyId: string | undefined
  /** The mechanism as it was given, where the operation can begin again elsewhere. */
  readonly argument: MechanismArgument | undefined
  readonly #beginning: Beginning
  /** The key asks for C_Login with CKU_CONTEXT_SPECIFIC before it is used (CKA_ALWAYS_AUTHENTICATE). */
  awaitsLogin: boolean
  /** An Update function was called: the single-part function may not be any more. */
  updated = false
  /** A result that waits to be fetched. */
  held: Held | undefined

  constructor(works: W, beginning: Beginning) {
    this.works = works
    this.mechanism = beginning.mechanism
    this.keyId = beginning.keyId
    this.argument = beginning.argument
    this.#beginning = beginning
    this.awaitsLogin = beginning.asksForLogin ?? false
  }

  /** A message is over, well or not. A key that asks for a login of its own asks for the next one again. */
  endMessage(): void {
    if (this.works instanceof MessageWorks) this.works.underWay = undefined
    this.awaitsLogin = this.#beginning.asksForLogin ?? false
  }

  /**
   * A second operation in the same state; its key asks for a login once more. CKR_STATE_UNSAVEABLE
   * where the works are in the middle of something that cannot be copied.
   */
  async copy(): Promise<Operation> {
    const works = await this.#copyOfWorks()
    if (works === undefined || this.held !== undefined)
      throw new CryptokiError(
        CKR.STATE_UNSAVEABLE,
        'an operation of this mechanism cannot be saved once data went in',
      )
    const copy = new Operation(works, this.#beginning)
    copy.updated = this.updated
    return copy
  }

  #copyOfWorks(): Works | undefined | Promise<Works> {
    if (!this.updated) return this.#beginning.again()
    return 'copy' in this.works ? this.works.copy?.() : undefined
  }
}

/** Hands data over, of which `update` keeps nothing, in steps with a surrender point before each; synchronous where it is short and here. */
export function feed(
  data: Data,
  surrender: Surrender,
  update: (part: Uint8Array) => void | Promise<void>,
): void | Promise<void> {
  if (data.length === 0) return
  if (data.length > STEP) return feedSteps(data, surrender, update)
  const part = data.borrow ? after(data.borrow(0, data.length), bytesOf) : data.read(0, data.length)
  return part instanceof Uint8Array ? update(part) : part.then(update)
}

/** Of a loan that is taken back once the call is over. */
const bytesOf = ({ bytes }: Loan): Uint8Array => bytes

async function feedSteps(
  data: Data,
  surrender: Surrender,
  update: (part: Uint8Array) => void | Promise<void>,
): Promise<void> {
  let ahead = readAhead(data, 0)
  for (let at = 0; at < data.length; at += STEP) {
    const part = await ahead
    const next = at + STEP
    if (next < data.length) ahead = readAhead(data, next)
    const point = surrender.point(at / data.length)
    if (point) await point
    await update(part.bytes)
    part.giveBack()
  }
}

/**
 * The next step is on its way while this one is worked on; should the work fail first, nobody waits for
 * it. What is not given back is taken back once the call is over.
 */
function readAhead(data: Data, at: number): Loan | Promise<Loan> {
  const length = Math.min(STEP, data.length - at)
  const part = data.borrow?.(at, length) ?? after(data.read(at, length), owned)
  if (part instanceof Promise) part.catch(() => {})
  return part
}

/** Bytes that nobody asks back. */
const owned = (bytes: Uint8Array): Loan => ({ bytes, giveBack: () => {} })

/** `then` at once for a value, later for a promise: short calls stay synchronous. */
export const after = <A, B>(
  value: A | Promise<A>,
  next: (value: A) => B | Promise<B>,
): B | Promise<B> => (value instanceof Promise ? value.then(next) : next(value))

/** Output of known length: told, refused, or made. */
export function fill(
  length: number,
  room: Room,
  make: () => Filled | Promise<Filled>,
): Filled | Promise<Filled> {
  return room === null || room < length ? { needed: length } : make()
}

/** Whether the operation ended with this answer: yes unless the length was only told. */
export const isOver = (filled: Filled): boolean =>
  filled instanceof Uint8Array || !('needed' in filled)

type Put = NonNullable<CallContext['put']>

/** Gathers output, or puts it into the caller's buffer as it comes where that is long. */
class Outlet {
  readonly #put: Put | undefined
  readonly #claim: CallContext['claim']
  readonly #parts: Uint8Array[] = []
  #length = 0

  constructor(expected: number, context: CallContext) {
    this.#put = expected > STEP ? context.put : undefined
    this.#claim = expected > STEP ? context.claim : undefined
  }

  /** Lets output of this length be made where the caller takes it; false where there is no room for it now. */
  fill(length: number, make: (output: Uint8Array) => void): boolean {
    const claimed = this.#claim?.(this.#length, length)
    if (claimed === undefined) return false
    try {
      make(claimed.bytes)
    } catch (error) {
      claimed.giveBack()
      throw error
    }
    this.#length += length
    claimed.put()
    return true
  }

  write(part: Uint8Array): void | Promise<void> {
    const at = this.#length
    this.#length += part.length
    if (this.#put === undefined) this.#parts.push(part)
    else return putSteps(this.#put, at, part)
  }

  end(): Filled {
    if (this.#put !== undefined) return { put: this.#length }
    const [only] = this.#parts
    return this.#parts.length === 1 && only ? only : Buffer.concat(this.#parts)
  }
}

async function putSteps(put: Put, offset: number, part: Uint8Array): Promise<void> {
  for (let at = 0; at < part.length; at += STEP)
    await put(offset + at, part.subarray(at, at + STEP))
}

export interface CipherCall {
  readonly data: Data
  readonly room: Room
  readonly step: Step
  readonly surrender: Surrender
  readonly context: CallContext
  readonly beside?: Beside
}

/** The other operation of a dual function, which goes over the plaintext. */
export interface Beside {
  /** Where the plaintext is: what goes into the cipher, or what comes out. */
  readonly takes: 'input' | 'output'
  update(part: Uint8Array): void | Promise<void>
}

/** One encryption or decryption function: data in, output by the convention. */
export function runCipher(
  operation: Pick<Operation<Cipher>, 'works' | 'held'>,
  call: CipherCall,
): Filled | Promise<Filled> {
  const { works } = operation
  const { data, room, step } = call
  if (operation.held !== undefined) return fetchHeld(operation, operation.held, step, room)
  const length = works.outputLength(data.length, step !== 'part')
  if (room === null) return { needed: length.bytes }
  // With another operation beside it nothing may be worked on that might not go out.
  if (room < length.bytes && (length.exact || call.beside)) return { needed: length.bytes }
  const context = room < length.bytes ? {} : call.context
  return after(work(works, call, length.bytes, context), (filled) =>
    filled instanceof Uint8Array ? release(operation, { result: filled, step }, room) : filled,
  )
}

/** A short message goes through at once where the cipher takes it so. */
function work(
  works: Cipher,
  call: CipherCall,
  expected: number,
  context: CallContext,
): Filled | Promise<Filled> {
  const { whole } = works
  const { data, step, beside } = call
  if (whole !== undefined && step === 'whole' && beside === undefined && expected <= STEP)
    return after(data.read(0, data.length), whole)
  return passThrough(works, call, new Outlet(expected, context))
}

function passThrough(
  works: Cipher,
  { data, step, surrender, beside }: CipherCall,
  outlet: Outlet,
): Filled | Promise<Filled> {
  const write = (out: Uint8Array) =>
    after(beside?.takes === 'output' ? beside.update(out) : undefined, () => outlet.write(out))
  const { updateInto } = works
  const isFilled = (part: Uint8Array) =>
    updateInto !== undefined &&
    beside?.takes !== 'output' &&
    outlet.fill(part.length, (output) => updateInto(part, output))
  const update = (part: Uint8Array) =>
    after(beside?.takes === 'input' ? beside.update(part) : undefined, () =>
      isFilled(part) ? undefined : after(works.update(part), write),
    )
  return after(feed(data, surrender, update), () =>
    after(step === 'part' ? undefined : works.final(surrender), (last) =>
      after(last === undefined || last.length === 0 ? undefined : outlet.write(last), () =>
        outlet.end(),
      ),
    ),
  )
}

/** A result goes out where there is room for it and is kept where there is not. */
function release(operation: Pick<Operation, 'held'>, held: Held, room: Room): Filled {
  const { result } = held
  if (room === null || room < result.length) {
    operation.held = held
    return { needed: result.length }
  }
  operation.held = undefined
  return result
}

/** Works that have given their result can do no more: until it is fetched nothing else goes on. */
function fetchHeld(operation: Pick<Operation, 'held'>, held: Held, step: Step, room: Room): Filled {
  if (held.step === step) return release(operation, held, room)
  throw new CryptokiError(
    CKR.OPERATION_ACTIVE,
    'a result waits that did not fit its buffer: the same function again fetches it',
  )
}

/** Works that nothing but this message goes into, and whether it is short: then it may go in whole. */
const isShort = (updated: boolean | undefined, data: Data): boolean =>
  updated === false && data.length <= STEP

/** A digest, signature or MAC of the data that is left; `updated` is false where that is all there is. */
export function runSummary(
  { works, updated }: Pick<Operation<Summary>, 'works'> & { readonly updated?: boolean },
  data: Data | null,
  room: Room,
  surrender: Surrender,
): Filled | Promise<Filled> {
  const { whole, pointers } = works
  const make = () =>
    whole !== undefined && data !== null && isShort(updated, data)
      ? after(data.read(0, data.length), (message) => whole(message, surrender))
      : after(data === null ? undefined : feed(data, surrender, (part) => works.update(part)), () =>
          works.final(surrender),
        )
  return fill(works.length, room, () =>
    after(make(), (result) => (pointers === undefined ? result : { image: result, pointers })),
  )
}

/** Checks the data that is left against a signature or MAC; `updated` as above. */
export function runVerification(
  { works, updated }: Pick<Operation<Verification>, 'works'> & { readonly updated?: boolean },
  data: Data,
  signature: Uint8Array,
  surrender: Surrender,
): void | Promise<void> {
  const { whole } = works
  if (whole !== undefined && isShort(updated, data))
    return after(data.read(0, data.length), (message) => whole(message, signature, surrender))
  return after(
    feed(data, surrender, (part) => works.update(part)),
    () => works.final(signature, surrender),
  )
}

/** A signature that holds its message, or the message of one. Its length is known only once it is there. */
export function runRecovery(
  operation: Operation<Recovery>,
  input: Uint8Array,
  room: Room,
  surrender: Surrender,
): Filled | Promise<Filled> {
  const { works, held } = operation
  if (held !== undefined) return release(operation, held, room)
  if (room === null) return { needed: works.length }
  return after(works.recover(input, surrender), (result) =>
    release(operation, { result, step: 'whole' }, room),
  )
}

/** All of a short input at once; CKR_DATA_LEN_RANGE for more than `most` bytes. */
export async function gather(data: Data, most: number, surrender: Surrender): Promise<Uint8Array> {
  if (data.length > most)
    throw new CryptokiError(
      CKR.DATA_LEN_RANGE,
      `${data.length} bytes where at most ${most} are allowed`,
    )
  const parts: Uint8Array[] = []
  await feed(data, surrender, (part) => void parts.push(Uint8Array.from(part)))
  return Buffer.concat(parts)
}

export const noData = dataOf(new Uint8Array(0))
