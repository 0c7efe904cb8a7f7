/** EdDSA: Edwards key pairs and the five signature schemes of RFC 8032. PKCS #11 3.2, 6.3.10 and 6.3.14. */
import {
  type EddsaScheme,
  eddsaBytes,
  eddsaSign,
  eddsaSignDigest,
  eddsaSignShort,
  eddsaVerify,
  eddsaVerifyDigest,
  eddsaVerifyShort,
  prehashing,
} from '../engine/eddsa.ts'
import type { OctetKey } from '../engine/octet-curves.ts'
import { CKK, CKM, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { Mechanism, MechanismArgument, Summary, Surrender, Verification } from './mechanism.ts'
import { type Message, messageHashedBy, shortMessage } from './messages.ts'
import {
  edwardsKeyOf,
  generateEdwardsPair,
  OCTET_CURVE_BITS,
  OCTET_CURVE_FLAGS,
} from './octet-curve-keys.ts'
import { bytesIn, numberIn } from './parameter.ts'

export { edwardsKeyType } from './octet-curve-keys.ts'

/**
 * Bytes of a message of the pure schemes at most: 64 MiB. They hash a message twice, so it is kept
 * whole until the signature is made. The prehashed ones take a message of any length.
 */
const LONGEST_MESSAGE = 64 << 20

/** Bytes of a context at most: RFC 8032, 2. */
const LONGEST_CONTEXT = 255

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** What a parameter asks for; null where there is none. */
interface Asked {
  readonly prehashed: boolean
  readonly context: Uint8Array
}

/** CK_EDDSA_PARAMS. */
function askedBy(mechanism: MechanismArgument): Asked | null {
  const { parameter } = mechanism
  if (parameter === null || (parameter instanceof Uint8Array && parameter.length === 0)) return null
  const flag = numberIn(mechanism, 'phFlag')
  const context = bytesIn(mechanism, 'contextData')
  if (flag > 1) throw invalid('phFlag is neither CK_TRUE nor CK_FALSE')
  if (context.length > LONGEST_CONTEXT)
    throw invalid(`a context has at most ${LONGEST_CONTEXT} bytes`)
  return { prehashed: flag === 1, context: Uint8Array.from(context) }
}

/** Table "Mapping to RFC 8032 Signature Schemes", 6.3.14. RFC 8032, 8.3: Ed25519ctx is not for an empty context. */
const SCHEMES: Readonly<Record<string, (asked: Asked | null) => EddsaScheme>> = {
  ED25519(asked) {
    if (asked === null) return { algorithm: 'ED25519' }
    const { prehashed, context } = asked
    if (!prehashed && context.length === 0) throw invalid('Ed25519ctx needs a context')
    return { algorithm: prehashed ? 'ED25519ph' : 'ED25519ctx', context }
  },
  // 6.3.14 requires a parameter; a key named by its OID has none, and nothing else could be meant.
  ED448: (asked) =>
    asked === null
      ? { algorithm: 'ED448' }
      : { algorithm: asked.prehashed ? 'ED448ph' : 'ED448', context: asked.context },
}

const schemeOf = ({ curve }: OctetKey, mechanism: MechanismArgument): EddsaScheme =>
  (SCHEMES[curve.type] as (asked: Asked | null) => EddsaScheme)(askedBy(mechanism))

const isPrehashed = ({ algorithm }: EddsaScheme) => algorithm.endsWith('ph')

const messageFor = (key: OctetKey, scheme: EddsaScheme): Message =>
  isPrehashed(scheme) ? messageHashedBy(prehashing(key)) : shortMessage(0, LONGEST_MESSAGE)

/** The thread pool goes on to the end of the message, at most about a quarter of a second. */
const cannotStop = () => {}

/** Bytes of a message that is hashed sooner than the thread pool would take it up: some 20 microseconds. */
const SHORT_MESSAGE = 16 << 10

function sign(
  key: OctetKey,
  scheme: EddsaScheme,
  input: Uint8Array,
  surrender: Surrender,
): Uint8Array | Promise<Uint8Array> {
  if (isPrehashed(scheme)) return eddsaSignDigest(key, scheme, input)
  if (input.length <= SHORT_MESSAGE) return eddsaSignShort(key, scheme, input)
  return surrender.during(eddsaSign(key, scheme, input), cannotStop)
}

const signature = (key: OctetKey, scheme: EddsaScheme, message: Message): Summary => ({
  length: eddsaBytes(key),
  whole: (bytes, surrender) => sign(key, scheme, message.whole(bytes), surrender),
  update: (part) => message.update(part),
  final: async (surrender) => sign(key, scheme, await message.take(surrender), surrender),
  copy: () => signature(key, scheme, message.copy()),
})

function checkLength(key: OctetKey, { length }: Uint8Array): void {
  if (length !== eddsaBytes(key))
    throw new CryptokiError(
      CKR.SIGNATURE_LEN_RANGE,
      `a signature of this key has ${eddsaBytes(key)} bytes`,
    )
}

function isRight(
  key: OctetKey,
  scheme: EddsaScheme,
  { input, value }: { readonly input: Uint8Array; readonly value: Uint8Array },
  surrender: Surrender,
): boolean | Promise<boolean> {
  if (isPrehashed(scheme)) return eddsaVerifyDigest(key, scheme, input, value)
  if (input.length <= SHORT_MESSAGE) return eddsaVerifyShort(key, scheme, input, value)
  return surrender.during(eddsaVerify(key, scheme, input, value), cannotStop)
}

function demand(right: boolean): void {
  if (!right)
    throw new CryptokiError(
      CKR.SIGNATURE_INVALID,
      'the signature is that of another message or key',
    )
}

const verification = (key: OctetKey, scheme: EddsaScheme, message: Message): Verification => ({
  whole: (bytes, value, surrender) => {
    checkLength(key, value)
    const right = isRight(key, scheme, { input: message.whole(bytes), value }, surrender)
    return right instanceof Promise ? right.then(demand) : demand(right)
  },
  update: (part) => message.update(part),
  final: async (value, surrender) => {
    checkLength(key, value)
    const input = await message.take(surrender)
    demand(await isRight(key, scheme, { input, value }, surrender))
  },
  copy: () => verification(key, scheme, message.copy()),
})

/** What every row here says. FIPS 186-5 has all but Ed25519ctx. */
const common = {
  standing: 'approved',
  keyTypes: [CKK.EC_EDWARDS],
  keySize: OCTET_CURVE_BITS,
  flags: OCTET_CURVE_FLAGS,
} as const

export const eddsa: readonly Mechanism[] = [
  {
    ...common,
    type: CKM.EC_EDWARDS_KEY_PAIR_GEN,
    name: 'EC_EDWARDS_KEY_PAIR_GEN',
    section: '6.3.10',
    generateKeyPair: generateEdwardsPair,
  },
  {
    ...common,
    type: CKM.EDDSA,
    name: 'EDDSA',
    section: '6.3.14',
    parameter: 'CK_EDDSA_PARAMS',
    parameterOptional: true,
    sign: ({ key, mechanism }) => {
      const parsed = edwardsKeyOf(key, CKO.PRIVATE_KEY)
      const scheme = schemeOf(parsed, mechanism)
      return signature(parsed, scheme, messageFor(parsed, scheme))
    },
    verify: ({ key, mechanism }) => {
      const parsed = edwardsKeyOf(key, CKO.PUBLIC_KEY)
      const scheme = schemeOf(parsed, mechanism)
      return verification(parsed, scheme, messageFor(parsed, scheme))
    },
  },
]
