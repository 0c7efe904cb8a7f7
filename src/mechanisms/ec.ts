/** Elliptic curves in short Weierstrass form: key pairs, ECDSA (FIPS 186-5), and what agrees with ECDH. PKCS #11 3.2, 6.3. */
import {
  type EcKey,
  ecdsaSign,
  ecdsaVerify,
  generateEc,
  generateEcWithExtraBits,
} from '../engine/ec.ts'
import { CKK, CKM, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { EC_FLAGS, ecKeyOf, FIELD_BITS, generateEcPair } from './ec-keys.ts'
import { ecdhDerivation } from './ecdh.ts'
import { ecdhKeyWrap } from './ecdh-key-wrap.ts'
import type { Mechanism, Summary, Verification } from './mechanism.ts'
import { hashedMessage, type Message, shortMessage } from './messages.ts'
import { type SignatureHash, signatureHashes } from './signature-hashes.ts'

export { ecKeyType } from './ec-keys.ts'

/** What every EC row says. */
const rowOf = (
  row: Pick<Mechanism, 'section' | 'standing'> & { readonly name: keyof typeof CKM },
): Mechanism => ({
  ...row,
  type: CKM[row.name],
  keyTypes: [CKK.EC],
  keySize: FIELD_BITS,
  flags: EC_FLAGS,
})

const signature = (key: EcKey, message: Message): Summary => ({
  length: 2 * key.curve.orderBytes,
  whole: (bytes) => ecdsaSign(key, message.whole(bytes)),
  update: (part) => message.update(part),
  final: async (surrender) => ecdsaSign(key, await message.take(surrender)),
  copy: () => signature(key, message.copy()),
})

/** 6.3.1: r and s of equal length, which may lack leading zeros. */
function checkLength({ curve }: EcKey, { length }: Uint8Array): void {
  const most = 2 * curve.orderBytes
  if (length === 0 || length % 2 !== 0 || length > most)
    throw new CryptokiError(
      CKR.SIGNATURE_LEN_RANGE,
      `a signature has an even number of bytes, at most ${most}`,
    )
}

function verify(key: EcKey, digest: Uint8Array, value: Uint8Array): void {
  if (!ecdsaVerify(key, digest, value))
    throw new CryptokiError(
      CKR.SIGNATURE_INVALID,
      'the signature is that of another message or key',
    )
}

const verification = (key: EcKey, message: Message): Verification => ({
  whole: (bytes, value) => {
    checkLength(key, value)
    verify(key, message.whole(bytes), value)
  },
  update: (part) => message.update(part),
  final: async (value, surrender) => {
    checkLength(key, value)
    verify(key, await message.take(surrender), value)
  },
  copy: () => verification(key, message.copy()),
})

const signing = (makeMessage: () => Message): Pick<Mechanism, 'sign' | 'verify'> => ({
  sign: ({ key }) => signature(ecKeyOf(key, CKO.PRIVATE_KEY), makeMessage()),
  verify: ({ key }) => verification(ecKeyOf(key, CKO.PUBLIC_KEY), makeMessage()),
})

/** FIPS 186-5; SHA-1 makes no signatures any more (SP 800-131A rev. 2, 3). */
const APPROVED = { standing: 'approved' } as const

/** Bytes of a digest at most: 1,024 bits (6.3.12). No bytes would make a signature that anybody can forge. */
const DIGEST_BYTES = [1, 128] as const

/** CKM_ECDSA_...: over a digest made here. */
const hashedEcdsa = ({ name, digest }: SignatureHash): Mechanism => ({
  ...rowOf({ name: `ECDSA_${name}`, section: '6.3.13', ...(digest === 'sha1' ? {} : APPROVED) }),
  ...signing(() => hashedMessage(digest)),
})

export const ec: readonly Mechanism[] = [
  {
    ...rowOf({ name: 'EC_KEY_PAIR_GEN', section: '6.3.9', ...APPROVED }),
    generateKeyPair: generateEcPair(generateEc),
  },
  {
    ...rowOf({ name: 'EC_KEY_PAIR_GEN_W_EXTRA_BITS', section: '6.3.9', ...APPROVED }),
    generateKeyPair: generateEcPair(generateEcWithExtraBits),
  },
  {
    ...rowOf({ name: 'ECDSA', section: '6.3.12', ...APPROVED }),
    ...signing(() => shortMessage(...DIGEST_BYTES)),
  },
  ...signatureHashes.map(hashedEcdsa),
  ...ecdhDerivation,
  ...ecdhKeyWrap,
]
