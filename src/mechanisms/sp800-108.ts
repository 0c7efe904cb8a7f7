/**
 * Keys derived with a pseudorandom function: NIST SP 800-108, in counter mode, feedback mode and
 * double-pipeline mode. PKCS #11 3.2, 6.42.
 */
import { CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { derivedLength, derivedValue } from './derived-keys.ts'
import { loosest } from './derived-policy.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type {
  Attributes,
  CryptokiObject,
  Derive,
  FurtherKeys,
  Made,
  Mechanism,
  MechanismArgument,
  Parameter,
  Surrender,
} from './mechanism.ts'
import { dataIn, numberIn, structuresIn, templateIn } from './parameter.ts'
import { type KeyedPrf, keyedBy, prfOf } from './prfs.ts'
import { type PrfInput, readInput } from './sp800-108-data.ts'

/** Answers the segments of the derived keying material, one a call. */
type Segments = () => Uint8Array

/** What the modes differ in. */
interface Mode {
  /** Whether the iteration variable is the counter. */
  readonly counts: boolean
  segments(prf: KeyedPrf, input: PrfInput, mechanism: MechanismArgument): Segments
}

const NOTHING = new Uint8Array(0)

/** SP 800-108, 4.1: K(i) = PRF(KI, ... [i]2 ...). */
const counterMode: Mode = {
  counts: true,
  segments(prf, input) {
    let counter = 0
    return () => prf(...input.of({ counter: ++counter, variable: NOTHING }))
  },
}

/** 4.2: K(i) = PRF(KI, ... K(i-1) ...), K(0) being the IV. */
const feedbackMode: Mode = {
  counts: false,
  segments(prf, input, mechanism) {
    let counter = 0
    let variable = dataIn(mechanism, 'iv')
    return () => {
      variable = prf(...input.of({ counter: ++counter, variable }))
      return variable
    }
  },
}

/** 4.3: A(i) = PRF(KI, A(i-1)) and K(i) = PRF(KI, ... A(i) ...), A(0) being what is the same in all. */
const doublePipelineMode: Mode = {
  counts: false,
  segments(prf, input) {
    let counter = 0
    let pipeline = input.fixed
    return () => {
      const variable = prf(...pipeline)
      pipeline = [variable]
      return prf(...input.of({ counter: ++counter, variable }))
    }
  },
}

const further = (mechanism: MechanismArgument) => structuresIn(mechanism, 'additionalDerivedKeys')

const handlesOf = (handles: readonly (number | undefined)[]): Parameter => ({
  additionalDerivedKeys: handles.map((key): Parameter => (key === undefined ? {} : { key })),
})

function furtherKeys(mechanism: MechanismArgument): FurtherKeys {
  const keys = further(mechanism)
  if (keys.some(({ parameter }) => parameter === null || !hasHandle(parameter)))
    throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, 'phKey of an additional key is NULL')
  return {
    besides: true,
    templates: keys.map((key) => templateIn(key, 'template')),
    handles: handlesOf,
  }
}

const hasHandle = (parameter: Parameter | Uint8Array): boolean =>
  !(parameter instanceof Uint8Array) && parameter.key !== null

/** Bytes of each key. 6.42.6: a template at fault is told by its handle. */
function lengthsOf({ mechanism, template, further: others = [] }: Derive): number[] {
  const lengthOf = (of: Attributes) => derivedLength(of, { most: LONGEST_SECRET })
  const own = lengthOf(template)
  return [
    own,
    ...others.map((other, at) => {
      try {
        return lengthOf(other)
      } catch (error) {
        mechanism.answer?.(handlesOf(others.map((_, i) => (i === at ? 0 : undefined))))
        throw error
      }
    }),
  ]
}

/**
 * So many bytes from as many segments as they take: no other key has any part of those. `done` makes
 * of the bytes so far the fraction of all keys.
 */
async function take(
  segments: Segments,
  length: number,
  surrender: Surrender,
  done: (bytes: number) => number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; ) {
    const segment = segments()
    bytes.set(segment.subarray(0, length - at), at)
    at += segment.length
    await surrender.point(done(Math.min(at, length)))
  }
  return bytes
}

async function deriveKeys(mode: Mode, base: CryptokiObject, make: Derive): Promise<Made[]> {
  const { mechanism, surrender } = make
  const prf = prfOf(numberIn(mechanism, 'prfType'))
  const keyed = keyedBy(prf, base)
  const lengths = lengthsOf(make)
  const sum = (bytes: readonly number[]) => bytes.reduce((all, some) => all + some, 0)
  const all = sum(lengths)
  const input = await readInput(make, mode, {
    keys: all,
    segments: sum(lengths.map((length) => Math.ceil(length / prf.bytes) * prf.bytes)),
  })
  const segments = mode.segments(keyed, input, mechanism)
  const made: Made[] = []
  for (const [at, template] of [make.template, ...(make.further ?? [])].entries()) {
    const before = sum(lengths.slice(0, at))
    const done = (bytes: number) => (before + bytes) / all
    const value = await take(segments, lengths[at] as number, surrender, done)
    const policy = loosest(template, base, input.keys)
    made.push(new Map([...derivedValue(template, value), ...policy]))
  }
  return made
}

const row = (
  name: `SP800_108_${'COUNTER' | 'FEEDBACK' | 'DOUBLE_PIPELINE'}_KDF`,
  section: string,
  parameter: Mechanism['parameter'] & string,
  mode: Mode,
): Mechanism => ({
  type: CKM[name],
  name,
  section,
  keyTypes: [],
  anySecretKey: true,
  keySize: [8, LONGEST_SECRET * 8],
  standing: 'approved',
  parameter,
  furtherKeys,
  derive: (base, make) => deriveKeys(mode, base, make),
})

export const sp800108: readonly Mechanism[] = [
  row('SP800_108_COUNTER_KDF', '6.42.3', 'CK_SP800_108_KDF_PARAMS', counterMode),
  row('SP800_108_FEEDBACK_KDF', '6.42.4', 'CK_SP800_108_FEEDBACK_KDF_PARAMS', feedbackMode),
  row('SP800_108_DOUBLE_PIPELINE_KDF', '6.42.5', 'CK_SP800_108_KDF_PARAMS', doublePipelineMode),
]
