/** DSA: signatures, keys and domain parameters (FIPS 186-4). PKCS #11 3.2, 6.2. */
import { type DigestName, digestLengths } from '../engine/digests.ts'
import {
  type DsaKey,
  type DsaSizes,
  dsaSign,
  dsaVerify,
  generateDsaBase,
  usualSeedBytes,
} from '../engine/dsa.ts'
import { dsaField } from '../engine/finite-field.ts'
import { bitLength } from '../engine/rsa.ts'
import { CKA, CKK, CKM, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { lengthily } from '../surrender/workers.ts'
import {
  checkSizes,
  domainAttributes,
  type FieldFamily,
  fieldKeyOf,
  fieldKeyType,
  generatingPair,
  numbersOf,
} from './finite-field-keys.ts'
import type {
  Attributes,
  CryptokiObject,
  Made,
  Make,
  Mechanism,
  MechanismArgument,
  Summary,
  Verification,
} from './mechanism.ts'
import { hashedMessage, type Message, shortMessage } from './messages.ts'
import { bytesIn, numberIn } from './parameter.ts'
import { type SignatureHash, signatureHashes } from './signature-hashes.ts'

/** Bits of p: below 1024 DSA is broken, above 3072 there is none (6.2.2). */
const PRIME_BITS = [1024, 3072] as const

/** 6.2.2: "in steps of 64 bits"; and the lengths of q. */
const STEP = 64
const SUBPRIME_BITS: readonly number[] = [160, 224, 256]

const family: FieldFamily = {
  name: 'DSA',
  field: dsaField,
  fits: (bits, subprimeBits) =>
    bits >= PRIME_BITS[0] &&
    bits <= PRIME_BITS[1] &&
    bits % STEP === 0 &&
    SUBPRIME_BITS.includes(subprimeBits),
}

export const dsaKeyType = fieldKeyType(family)

/** What every DSA row says. FIPS 186-5 approves of DSA no more. */
const rowOf = (
  row: Pick<Mechanism, 'section' | 'parameter'> & { readonly name: keyof typeof CKM },
): Mechanism => ({ ...row, type: CKM[row.name], keyTypes: [CKK.DSA], keySize: PRIME_BITS })

function keyOf(key: CryptokiObject, objectClass: number): DsaKey {
  const { native, domain } = fieldKeyOf(family, key, objectClass)
  return { native, bytes: domain.q?.length ?? 0 }
}

const signature = (key: DsaKey, message: Message): Summary => ({
  length: 2 * key.bytes,
  update: (part) => message.update(part),
  final: async (surrender) => dsaSign(key, await message.take(surrender)),
  copy: () => signature(key, message.copy()),
})

const verification = (key: DsaKey, message: Message): Verification => ({
  update: (part) => message.update(part),
  final: async (value, surrender) => {
    if (value.length !== 2 * key.bytes)
      throw new CryptokiError(
        CKR.SIGNATURE_LEN_RANGE,
        `a signature of this key has ${2 * key.bytes} bytes`,
      )
    if (!dsaVerify(key, await message.take(surrender), value))
      throw new CryptokiError(
        CKR.SIGNATURE_INVALID,
        'the signature is that of another message or key',
      )
  },
  copy: () => verification(key, message.copy()),
})

const signing = (makeMessage: () => Message): Pick<Mechanism, 'sign' | 'verify'> => ({
  sign: ({ key }) => signature(keyOf(key, CKO.PRIVATE_KEY), makeMessage()),
  verify: ({ key }) => verification(keyOf(key, CKO.PUBLIC_KEY), makeMessage()),
})

/** Bytes of a digest that CKM_DSA takes (6.2.11). */
const DIGEST_BYTES: readonly number[] = [20, 28, 32, 48, 64]

function checkDigest(digest: Uint8Array): Uint8Array {
  if (DIGEST_BYTES.includes(digest.length)) return digest
  throw new CryptokiError(CKR.DATA_LEN_RANGE, `no digest has ${digest.length} bytes`)
}

const digestMessage = (short = shortMessage(20, 64)): Message => ({
  whole: (bytes) => checkDigest(short.whole(bytes)),
  update: (part) => short.update(part),
  take: async (surrender) => checkDigest(await short.take(surrender)),
  copy: () => digestMessage(short.copy()),
})

/** CKM_DSA_...: over a digest made here. */
const hashedDsa = ({ name, digest }: SignatureHash): Mechanism => ({
  ...rowOf({ name: `DSA_${name}`, section: '6.2.12' }),
  ...signing(() => hashedMessage(digest)),
})

/** 6.2.3: the lengths that FIPS 186-4 permits, the usual one of q first (6.2.5). */
const PERMITTED: ReadonlyMap<number, readonly number[]> = new Map([
  [1024, [160]],
  [2048, [224, 256]],
  [3072, [256]],
])

/** The sizes a template asks for. Throws CKR_ATTRIBUTE_VALUE_INVALID for any that FIPS 186-4 does not permit. */
function sizesAsked(template: Attributes): DsaSizes {
  const bits = template.get(CKA.PRIME_BITS)
  const usual = PERMITTED.get(bits as number) ?? []
  const subprimeBits = template.get(CKA.SUBPRIME_BITS) ?? usual[0]
  if (typeof bits === 'number' && typeof subprimeBits === 'number' && usual.includes(subprimeBits))
    return { bits, subprimeBits }
  throw new CryptokiError(
    CKR.ATTRIBUTE_VALUE_INVALID,
    `no domain parameters of ${bits} and ${subprimeBits} bits are made here`,
  )
}

/** CKM_DSA_PARAMETER_GEN, in a worker process. */
const generateParameters = async ({ template, surrender }: Make): Promise<Made> =>
  domainAttributes(await lengthily('generateDsaParameters', sizesAsked(template), surrender))

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** "Valid values are CKM_SHA_1, CKM_SHA224, CKM_SHA256, CKM_SHA384, CKM_SHA512." The digest makes q, so it is as long. */
function digestAsked(mechanism: MechanismArgument, { subprimeBits }: DsaSizes): DigestName {
  const type = numberIn(mechanism, 'hash')
  const hash = signatureHashes.find((row) => row.type === type && !row.name.startsWith('SHA3'))
  if (hash === undefined) throw invalid('unknown hash')
  if (digestLengths[hash.digest] * 8 < subprimeBits) throw invalid('the hash is shorter than q')
  return hash.digest
}

/** Bytes of a seed at most; 32 will do. */
const LONGEST_SEED = 1024

/** FIPS 186-4, A.1.1.2: a seed is no shorter than q. */
function checkSeed(length: number, { subprimeBits }: DsaSizes): void {
  if (length * 8 < subprimeBits || length > LONGEST_SEED)
    throw invalid(`a seed has ${subprimeBits / 8} to ${LONGEST_SEED} bytes`)
}

/**
 * CKM_DSA_PROBABILISTIC_PARAMETER_GEN, in a worker process. The seed is as long as the application's
 * room for it; without room it is as long as the digest, and forgotten.
 */
async function generatePrimes({ mechanism, template, surrender }: Make): Promise<Made> {
  const sizes = sizesAsked(template)
  const digest = digestAsked(mechanism, sizes)
  const room = bytesIn(mechanism, 'seed').length
  const seedBytes = room === 0 ? usualSeedBytes(digest) : room
  checkSeed(seedBytes, sizes)
  const asked = { ...sizes, digest, seedBytes }
  const { p, q, seed } = await lengthily('generateDsaPrimes', asked, surrender)
  if (room > 0) mechanism.answer?.({ seed })
  return domainAttributes({ p, q })
}

/** The largest index: 8 bits (FIPS 186-4, A.2.3). */
const LARGEST_INDEX = 255

/** CKM_DSA_FIPS_G_GEN: the base that belongs to p, q and their seed. */
function generateBase({ mechanism, template }: Make): Made {
  const { p, q } = numbersOf(family, template)
  if (p === undefined || q === undefined)
    throw new CryptokiError(CKR.TEMPLATE_INCOMPLETE, 'CKA_PRIME and CKA_SUBPRIME are needed')
  checkSizes(family, { p, q })
  const sizes = { bits: bitLength(p), subprimeBits: bitLength(q) }
  const digest = digestAsked(mechanism, sizes)
  const seed = bytesIn(mechanism, 'seed')
  checkSeed(seed.length, sizes)
  const index = numberIn(mechanism, 'index')
  if (index > LARGEST_INDEX) throw invalid(`an index is at most ${LARGEST_INDEX}`)
  const g = generateDsaBase({ p, q, seed }, { ...sizes, digest, index })
  if (g !== undefined) return new Map([[CKA.BASE, g]])
  throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, 'CKA_PRIME and CKA_SUBPRIME have no base')
}

const domainRow = { makes: CKO.DOMAIN_PARAMETERS } as const

export const dsa: readonly Mechanism[] = [
  {
    ...rowOf({ name: 'DSA_KEY_PAIR_GEN', section: '6.2.6' }),
    generateKeyPair: generatingPair(family),
  },
  {
    ...rowOf({ name: 'DSA_PARAMETER_GEN', section: '6.2.7' }),
    ...domainRow,
    generateKey: generateParameters,
  },
  {
    ...rowOf({
      name: 'DSA_PROBABILISTIC_PARAMETER_GEN',
      section: '6.2.8',
      parameter: 'CK_DSA_PARAMETER_GEN_PARAM',
    }),
    ...domainRow,
    leavesOut: [CKA.BASE],
    generateKey: generatePrimes,
  },
  {
    ...rowOf({
      name: 'DSA_FIPS_G_GEN',
      section: '6.2.10',
      parameter: 'CK_DSA_PARAMETER_GEN_PARAM',
    }),
    ...domainRow,
    supplies: [CKA.PRIME_BITS],
    takes: [CKA.PRIME, CKA.SUBPRIME],
    generateKey: generateBase,
  },
  { ...rowOf({ name: 'DSA', section: '6.2.11' }), ...signing(digestMessage) },
  ...signatureHashes.map(hashedDsa),
]
