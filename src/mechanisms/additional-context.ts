/**
 * CK_SIGN_ADDITIONAL_CONTEXT and CK_HASH_SIGN_ADDITIONAL_CONTEXT, the parameters of ML-DSA and SLH-DSA
 * signatures, and what is signed with them. PKCS #11 3.2, 6.67.1.
 */
import { encodeHashed, LONGEST_CONTEXT, type Signed } from '../engine/parameter-set-signatures.ts'
import { type PreHash, preHashes } from '../engine/pre-hashes.ts'
import { CKH, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import type { MechanismArgument, Surrender } from './mechanism.ts'
import { type Message, shortMessage } from './messages.ts'
import { bytesIn, numberIn } from './parameter.ts'

export interface AdditionalContext {
  /** No bytes where there is none. */
  readonly context: Uint8Array
  /** Whether the signature is to go without randomness; a hedged one is preferred here. */
  readonly deterministic: boolean
}

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

const HEDGES: ReadonlySet<number> = new Set([
  CKH.HEDGE_PREFERRED,
  CKH.HEDGE_REQUIRED,
  CKH.DETERMINISTIC_REQUIRED,
])

const isAbsent = ({ parameter }: MechanismArgument): boolean =>
  parameter === null || (parameter instanceof Uint8Array && parameter.length === 0)

/**
 * What a parameter asks for. Throws CKR_MECHANISM_PARAM_INVALID for a context of more than 255 bytes
 * and, in signing, for an unknown hedge: in verification it "is ignored".
 */
export function additionalContext(
  mechanism: MechanismArgument,
  use: 'sign' | 'verify',
): AdditionalContext {
  if (isAbsent(mechanism)) return { context: new Uint8Array(0), deterministic: false }
  const hedge = numberIn(mechanism, 'hedgeVariant')
  if (use === 'sign' && !HEDGES.has(hedge)) throw invalid('unknown hedgeVariant')
  const context = bytesIn(mechanism, 'context')
  if (context.length > LONGEST_CONTEXT)
    throw invalid(`a context has at most ${LONGEST_CONTEXT} bytes`)
  return {
    context: Uint8Array.from(context),
    deterministic: hedge === CKH.DETERMINISTIC_REQUIRED,
  }
}

/** The hashes that mechanisms of their own are named for: CKM_HASH_ML_DSA_SHA224, CKM_HASH_SLH_DSA_SHA224 ... */
export const namedPreHashes = [
  'SHA224',
  'SHA256',
  'SHA384',
  'SHA512',
  'SHA3_224',
  'SHA3_256',
  'SHA3_384',
  'SHA3_512',
  'SHAKE128',
  'SHAKE256',
] as const satisfies readonly (keyof typeof preHashes)[]

/** The hash that `hash` names by its digest mechanism. The SHAKEs have no such mechanism. */
export function preHashNamed(mechanism: MechanismArgument): PreHash {
  const type = numberIn(mechanism, 'hash')
  const found = Object.entries(preHashes).find(
    ([name]) => (CKM as Readonly<Record<string, number>>)[name] === type,
  )
  if (found === undefined) throw invalid('unknown hash')
  return found[1]
}

/** A message in parts, and once what a signature over it is made of. */
export interface SignedMessage {
  update(part: Uint8Array): void
  take(surrender: Surrender): Signed | Promise<Signed>
  /** A second one that has taken the same parts. */
  copy(): SignedMessage
}

/** A message that is kept until the end, whose bytes become what is signed. */
export const keptMessage = (
  message: Message,
  sign: (bytes: Uint8Array) => Signed,
): SignedMessage => ({
  update: (part) => message.update(part),
  take: async (surrender) => sign(await message.take(surrender)),
  copy: () => keptMessage(message.copy(), sign),
})

const encoded =
  (context: Uint8Array, { oid }: PreHash) =>
  (digest: Uint8Array): Signed => ({ form: 'encoded', bytes: encodeHashed(context, oid, digest) })

/** CKM_HASH_ML_DSA, CKM_HASH_SLH_DSA: the message is a digest already. */
export const digestedMessage = (context: Uint8Array, hash: PreHash): SignedMessage =>
  keptMessage(shortMessage(hash.bytes, hash.bytes), encoded(context, hash))

/** A message that is hashed here. */
export const preHashedMessage = (context: Uint8Array, hash: PreHash): SignedMessage =>
  hashedHere(hash.begin(), encoded(context, hash))

type Begun = ReturnType<PreHash['begin']>

const hashedHere = (hash: Begun, sign: (digest: Uint8Array) => Signed): SignedMessage => ({
  update: (part) => hash.update(part),
  take: () => sign(hash.digest()),
  copy: () => hashedHere(hash.copy(), sign),
})

/** A message of which only mu is kept (ML-DSA). */
export const muMessage = (mu: Begun): SignedMessage =>
  hashedHere(mu, (bytes) => ({ form: 'mu', bytes }))
