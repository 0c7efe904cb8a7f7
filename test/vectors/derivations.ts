/** Vectors of derived keys: C_DeriveKey, and C_GenerateKey from passwords. */
import assert from 'node:assert/strict'
import { CKD, CKF, CKK, CKM, CKP, CKZ } from '../../src/standard/constants.ts'
import { hex } from '../mechanisms/rows.ts'
import { mechanism, type Named, privateKey, refused, secretKey } from './vector-token.ts'
import { type VectorCase, type VectorFile, type VectorRow, vectorFile } from './wycheproof.ts'

interface ExchangeCase extends VectorCase {
  readonly public: string
  readonly private: string
  readonly shared: string
}

interface ExchangeFile extends Pick<VectorRow<unknown, ExchangeCase>, 'file' | 'decided'> {
  readonly mechanism: 'ECDH1_DERIVE' | 'ECDH1_COFACTOR_DERIVE'
  readonly keyType: number
  /** CKA_EC_PARAMS. */
  readonly curve: string
  /** How a case that may be either way is decided. */
  readonly decide: (one: ExchangeCase) => { readonly why: string; readonly taken: boolean }
}

const GENERIC: Named = { KEY_TYPE: CKK.GENERIC_SECRET }

const exchangeFile = ({ file, decided, curve, decide, ...row }: ExchangeFile): VectorFile =>
  vectorFile<unknown, ExchangeCase>({
    file,
    mechanisms: [row.mechanism],
    decided: decided ?? [],
    check: async (token, one) => {
      const named = { EC_PARAMS: hex(curve), VALUE: hex(one.private), DERIVE: true }
      const own = await token.key(privateKey(row.keyType, named))
      const how = mechanism(row.mechanism, {
        kdf: CKD.NULL,
        sharedData: hex(''),
        publicData: hex(one.public),
      })
      const decision = one.result === 'acceptable' ? decide(one) : undefined
      if (decision?.taken ?? one.result === 'valid')
        assert.equal(await token.derive(how, own, GENERIC), one.shared)
      else await refused(token.derive(how, own, GENERIC), 'PUBLIC_KEY_INVALID')
      return decision && { decided: decision.why }
    },
  })

const COMPRESSED = 'a compressed point is taken'
const ZEROS = 'a public key whose secret is zeros is refused (RFC 7748, 6.1)'
const OTHERS = 'a public key on the twist, or not reduced, is taken (RFC 7748, 5 and 7)'

interface HkdfCase extends VectorCase {
  readonly ikm: string
  readonly salt: string
  readonly info: string
  /** Bytes. */
  readonly size: number
  readonly okm: string
}

const hkdf: VectorFile = vectorFile<unknown, HkdfCase>({
  file: 'hkdf_sha256',
  mechanisms: ['HKDF_DERIVE'],
  check: async (token, one) => {
    const base = await token.key(secretKey(CKK.HKDF, hex(one.ikm), { DERIVE: true }))
    const how = mechanism('HKDF_DERIVE', {
      extract: 1,
      expand: 1,
      prfHashMechanism: CKM.SHA256,
      saltType: CKF.HKDF_SALT_DATA,
      salt: hex(one.salt),
      saltKey: 0,
      info: hex(one.info),
    })
    const named = { ...GENERIC, VALUE_LEN: one.size }
    if (one.result === 'valid') assert.equal(await token.derive(how, base, named), one.okm)
    else await refused(token.derive(how, base, named), 'TEMPLATE_INCONSISTENT', 'KEY_SIZE_RANGE')
    return undefined
  },
})

interface PasswordCase extends VectorCase {
  readonly password: string
  readonly salt: string
  readonly iterationCount: number
  /** Bytes. */
  readonly dkLen: number
  readonly dk: string
}

const pbkdf2: VectorFile = vectorFile<unknown, PasswordCase>({
  file: 'pbkdf2_hmacsha256',
  mechanisms: ['PKCS5_PBKD2'],
  check: async (token, one) => {
    const how = mechanism('PKCS5_PBKD2', {
      saltSource: CKZ.SALT_SPECIFIED,
      saltSourceData: hex(one.salt),
      iterations: one.iterationCount,
      prf: CKP.PKCS5_PBKD2_HMAC_SHA256,
      prfData: hex(''),
      password: hex(one.password),
    })
    assert.equal(one.result, 'valid')
    assert.equal(await token.generate(how, { ...GENERIC, VALUE_LEN: one.dkLen }), one.dk)
    return undefined
  },
})

export const derivations: readonly VectorFile[] = [
  exchangeFile({
    file: 'ecdh_secp256r1_ecpoint',
    mechanism: 'ECDH1_DERIVE',
    keyType: CKK.EC,
    curve: '06082a8648ce3d030107',
    decided: [COMPRESSED],
    decide: () => ({ why: COMPRESSED, taken: true }),
  }),
  exchangeFile({
    file: 'x25519',
    mechanism: 'ECDH1_DERIVE',
    keyType: CKK.EC_MONTGOMERY,
    curve: '06032b656e',
    decided: [ZEROS, OTHERS],
    decide: ({ flags }) =>
      flags?.includes('ZeroSharedSecret')
        ? { why: ZEROS, taken: false }
        : { why: OTHERS, taken: true },
  }),
  hkdf,
  pbkdf2,
]
