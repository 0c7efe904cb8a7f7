/**
 * How the IVs and nonces of messages come to be (CK_GENERATOR_FUNCTION). PKCS #11 3.2, 6.13.2 to
 * 6.13.5 and 6.13.7.1.
 *
 * "Each IV must be unique for a given session": what counts never comes round, and what is random
 * ends before two are likely to be alike. What then fails, a new operation begins anew.
 */
import { randomBytes } from '../engine/random.ts'
import { CKG, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'

/** What the parameter of a message tells. */
export interface IvRequest {
  /** A CKG_ number. */
  readonly generator: number
  /** What lies at pIv: all of the IV, or its fixed part and whatever follows. */
  readonly iv: Uint8Array
  /** How many bits of it are fixed, the most significant ones. */
  readonly fixedBits: number
}

/** Bytes of a generated IV at most; one that is given may be longer. */
const LONGEST_GENERATED = 128

/** Free bits at least, where some are fixed and what is free is random: TLS 1.2 has 64 (RFC 5288). */
const LEAST_RANDOM = 64

/** Messages under one key whose IVs are random, at most: 2^32. SP 800-38D, 8.3. */
const MOST_RANDOM = 1n << 32n

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

const lowest = (bits: number, value: bigint) => BigInt.asUintN(bits, value)

const numberOf = (bytes: Uint8Array) => BigInt(`0x0${Buffer.from(bytes).toString('hex')}`)

const bytesOf = (value: bigint, length: number): Uint8Array =>
  Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex')

const random = (bits: number): bigint => lowest(bits, numberOf(randomBytes(Math.ceil(bits / 8))))

/** The free parts of IVs, all of so many bits, one after another. */
interface Sequence {
  readonly bits: number
  /** Where it begins: with a number of its own, or with what the application gave. */
  readonly start: bigint
  /** How many there were. */
  count: bigint
  last: bigint
}

interface Generator {
  /** The application makes sure that no other operation with the key counts from the same start. */
  readonly counts?: true
  /** It works on what the application gave: "the value of the non-fixed portion passed must not vary". */
  readonly takesGiven?: true
  /** How many a sequence has. */
  most(bits: number): bigint
  start(bits: number, given: bigint): bigint
  next(sequence: Sequence): bigint
}

const all = (bits: number): bigint => 1n << BigInt(bits)
const least = (one: bigint, other: bigint): bigint => (one < other ? one : other)

/** So many random numbers that two are alike with a probability below 2^-32. */
const fewEnough = (bits: number): bigint => 1n << BigInt(Math.max(0, Math.floor((bits - 32) / 2)))

const generators: ReadonlyMap<number, Generator> = new Map([
  [
    // "The generation method is not defined": counting from a random start, which cannot repeat.
    CKG.GENERATE,
    {
      most: (bits: number) => least(all(bits), MOST_RANDOM),
      start: random,
      next: ({ bits, start, count }: Sequence) => lowest(bits, start + count),
    },
  ],
  [
    CKG.GENERATE_RANDOM,
    {
      most: (bits: number) => least(fewEnough(bits), MOST_RANDOM),
      start: () => 0n,
      next: ({ bits }: Sequence) => random(bits),
    },
  ],
  [
    CKG.GENERATE_COUNTER,
    { counts: true, most: all, start: () => 0n, next: ({ count }: Sequence) => count },
  ],
  [
    CKG.GENERATE_COUNTER_XOR,
    {
      counts: true,
      takesGiven: true,
      most: all,
      start: (_bits: number, given: bigint) => given,
      next: ({ start, count }: Sequence) => start ^ count,
    },
  ],
])

/** The IVs of one operation. */
export class Ivs {
  readonly #sequences = new Map<string, Sequence>()
  readonly #mayCount: boolean
  /** The one sequence that counts from where the standard says: a second might repeat the first. */
  #counting: string | undefined

  /** `mayCount` false: for operations of one message, all of which a counter would give the same IV. */
  constructor(mayCount = true) {
    this.#mayCount = mayCount
  }

  /**
   * The IV of the next message, as long as `iv`. Throws CKR_MECHANISM_PARAM_INVALID for what cannot be
   * generated, and where there is no other IV any more.
   */
  next(request: IvRequest): Uint8Array {
    const { generator: which, iv, fixedBits } = request
    if (which === CKG.NO_GENERATE) return iv
    const generator = generators.get(which)
    if (generator === undefined) throw invalid(`there is no generator ${which}`)
    const bits = freeBits(request, generator)
    const given = numberOf(iv)
    const name = `${which}/${iv.length}/${fixedBits}`
    const sequence = this.#sequence(name, generator, bits, lowest(bits, given))
    if (sequence.count >= generator.most(bits))
      throw invalid(`${sequence.count} messages had an IV, and there is no other`)
    sequence.last = generator.next(sequence)
    sequence.count++
    return bytesOf(given - lowest(bits, given) + sequence.last, iv.length)
  }

  #sequence(name: string, generator: Generator, bits: number, given: bigint): Sequence {
    if (generator.counts) this.#checkCounting(name)
    const sequence = this.#sequences.get(name)
    if (sequence === undefined) {
      const start = generator.start(bits, given)
      const begun = { bits, start, count: 0n, last: start }
      this.#sequences.set(name, begun)
      return begun
    }
    // An application that does not set it again gives the last IV.
    if (generator.takesGiven && given !== sequence.start && given !== sequence.last)
      throw invalid('the part of the IV that is counted on has changed')
    return sequence
  }

  #checkCounting(name: string): void {
    if (!this.#mayCount)
      throw invalid('a counter would begin at zero with every key that is wrapped')
    this.#counting ??= name
    if (this.#counting !== name) throw invalid('the IVs of an operation are counted in one way')
  }
}

function freeBits({ iv, fixedBits }: IvRequest, { counts }: Generator): number {
  if (iv.length > LONGEST_GENERATED)
    throw invalid(`IVs of at most ${LONGEST_GENERATED} bytes are generated`)
  const bits = iv.length * 8 - fixedBits
  if (!Number.isInteger(bits) || bits < 1)
    throw invalid(`of ${iv.length} bytes ${fixedBits} bits cannot be fixed`)
  if (!counts && fixedBits > 0 && bits < LEAST_RANDOM)
    throw invalid(`too many fixed bits: ${bits} random ones are left`)
  return bits
}
