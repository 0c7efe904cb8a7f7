/**
 * The rows that ML-DSA and SLH-DSA have alike: a signature over a message, over a digest, and over a
 * message hashed here. PKCS #11 3.2, 6.67 and 6.69.
 */
import type { ParameterSetKey } from '../engine/parameter-set-keys.ts'
import type { Signed } from '../engine/parameter-set-signatures.ts'
import { preHashes } from '../engine/pre-hashes.ts'
import { CKK, CKM, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import {
  type AdditionalContext,
  additionalContext,
  digestedMessage,
  namedPreHashes,
  preHashedMessage,
  preHashNamed,
  type SignedMessage,
} from './additional-context.ts'
import type {
  Begin,
  CryptokiObject,
  Mechanism,
  MechanismArgument,
  Summary,
  Surrender,
  Verification,
} from './mechanism.ts'
import { type Family, parameterSetKeyOf, publicKeySizes } from './parameter-set-keys.ts'

/** How a family computes. `object` is what `key` was parsed from. */
export interface SigningFamily extends Family {
  readonly name: 'ML_DSA' | 'SLH_DSA'
  /** The chapter of the standard. */
  readonly chapter: string
  /** A message of the pure algorithm. */
  pure(key: ParameterSetKey, context: Uint8Array): SignedMessage
  sign(work: Signing, surrender: Surrender): Uint8Array | Promise<Uint8Array>
  verify(
    work: Omit<Signing, 'deterministic'>,
    signature: Uint8Array,
    surrender: Surrender,
  ): boolean | Promise<boolean>
}

export interface Signing {
  readonly object: CryptokiObject
  readonly key: ParameterSetKey
  readonly signed: Signed
  readonly deterministic: boolean
}

/** What a row signs, from the key and the parameter. */
type MessageOf = (
  key: ParameterSetKey,
  context: Uint8Array,
  mechanism: MechanismArgument,
) => SignedMessage

interface Beginning {
  readonly object: CryptokiObject
  readonly key: ParameterSetKey
  readonly asked: AdditionalContext
}

const signature = (family: SigningFamily, begun: Beginning, message: SignedMessage): Summary => ({
  length: begun.key.set.outputBytes,
  update: (part) => message.update(part),
  final: async (surrender) => {
    const signed = await message.take(surrender)
    const { object, key, asked } = begun
    return family.sign({ object, key, signed, deterministic: asked.deterministic }, surrender)
  },
  copy: () => signature(family, begun, message.copy()),
})

function checkLength({ set }: ParameterSetKey, { length }: Uint8Array): void {
  if (length !== set.outputBytes)
    throw new CryptokiError(
      CKR.SIGNATURE_LEN_RANGE,
      `a signature of ${set.name} has ${set.outputBytes} bytes`,
    )
}

const verification = (
  family: SigningFamily,
  begun: Beginning,
  message: SignedMessage,
): Verification => ({
  update: (part) => message.update(part),
  final: async (value, surrender) => {
    const { object, key } = begun
    checkLength(key, value)
    const signed = await message.take(surrender)
    if (!(await family.verify({ object, key, signed }, value, surrender)))
      throw new CryptokiError(
        CKR.SIGNATURE_INVALID,
        'the signature is that of another message, context or key',
      )
  },
  copy: () => verification(family, begun, message.copy()),
})

function begin(
  family: SigningFamily,
  { key: object, mechanism }: Begin,
  use: 'sign' | 'verify',
): Beginning {
  const half = use === 'sign' ? CKO.PRIVATE_KEY : CKO.PUBLIC_KEY
  return {
    object,
    key: parameterSetKeyOf(family, object, half),
    asked: additionalContext(mechanism, use),
  }
}

const signing = (
  family: SigningFamily,
  messageOf: MessageOf,
): Pick<Mechanism, 'sign' | 'verify'> => ({
  sign: (what) => {
    const begun = begin(family, what, 'sign')
    return signature(family, begun, messageOf(begun.key, begun.asked.context, what.mechanism))
  },
  verify: (what) => {
    const begun = begin(family, what, 'verify')
    return verification(family, begun, messageOf(begun.key, begun.asked.context, what.mechanism))
  },
})

/** What every row of a family says: FIPS 203, 204 and 205 are approved. */
export const familyRow = (family: Family, name: keyof typeof CKM, section: string): Mechanism => ({
  type: CKM[name],
  name,
  section,
  keyTypes: [CKK[family.name]],
  keySize: publicKeySizes(family),
  standing: 'approved',
})

const withContext = { parameter: 'CK_SIGN_ADDITIONAL_CONTEXT', parameterOptional: true } as const

/** CKM_ML_DSA, CKM_HASH_ML_DSA, CKM_HASH_ML_DSA_SHA224 ...; and the same of SLH-DSA. */
export function signatureRows(family: SigningFamily): Mechanism[] {
  const { name, chapter } = family
  return [
    {
      ...familyRow(family, name, `${chapter}.5`),
      ...withContext,
      ...signing(family, family.pure),
    },
    {
      ...familyRow(family, `HASH_${name}`, `${chapter}.6`),
      parameter: 'CK_HASH_SIGN_ADDITIONAL_CONTEXT',
      ...signing(family, (_key, context, mechanism) =>
        digestedMessage(context, preHashNamed(mechanism)),
      ),
    },
    ...namedPreHashes.map(
      (hash): Mechanism => ({
        ...familyRow(family, `HASH_${name}_${hash}`, `${chapter}.7`),
        ...withContext,
        ...signing(family, (_key, context) => preHashedMessage(context, preHashes[hash])),
      }),
    ),
  ]
}
