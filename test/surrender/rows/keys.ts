/** Key management functions. What they make are token objects. PKCS #11 3.2, 5.18. */
import { createCipheriv } from 'node:crypto'
import { CKA, CKG, CKK, CKM, CKO } from '../../../src/standard/constants.ts'
import { bytes, data, template } from '../../in-process.ts'
import { type Row, row } from '../row.ts'
import { attributeOf, gcmOf, MADE, mechanism, P256, type Scene, SHORT, secretOf } from '../stage.ts'

const KEY_WRAP = mechanism(CKM.AES_KEY_WRAP)
const ML_KEM = mechanism(CKM.ML_KEM)
const AAD = Buffer.from('aad')

const LASTING = { TOKEN: true, LABEL: MADE } as const
const OPEN = { SENSITIVE: false, EXTRACTABLE: true } as const
const AES = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.AES } as const

/** RFC 3394 with the key that wraps. */
function wrappedOf(value: Buffer): Buffer {
  const cipher = createCipheriv('id-aes128-wrap', Buffer.alloc(16, 5), Buffer.alloc(8, 0xa6))
  return Buffer.concat([cipher.update(value), cipher.final()])
}

/** The parameter of wrapping with additional data: the tag is behind the key. */
const wrapParameter = (tag: Uint8Array) =>
  mechanism(CKM.AES_GCM, {
    iv: Buffer.alloc(12, 3),
    ivFixedBits: 0,
    ivGenerator: CKG.NO_GENERATE,
    tag,
    tagBits: 128,
  })

/** Signs and verifies with a new pair. */
async function pairWorks({ call, session }: Scene, [publicKey, privateKey]: readonly number[]) {
  const how = mechanism(CKM.ECDSA_SHA256)
  await call('C_SignInit', [session, how, privateKey as number])
  const signature = bytes(await call('C_Sign', [session, data(SHORT), 64]))
  await call('C_VerifyInit', [session, how, publicKey as number])
  await call('C_Verify', [session, data(SHORT), signature])
  return signature.length
}

/** Whether the other side comes to the same key. */
async function isShared(scene: Scene, [ciphertext, key]: readonly unknown[]): Promise<boolean> {
  const { call, session, keys } = scene
  const given = template({ ...OPEN, VALUE_LEN: 32 })
  const other = await call('C_DecapsulateKey', [
    session,
    ML_KEM,
    keys.mlKem[1],
    given,
    bytes(ciphertext),
  ])
  const [ours, theirs] = [await secretOf(scene, key as number), await secretOf(scene, other)]
  await call('C_DestroyObject', [session, other])
  return Buffer.from(ours as Uint8Array).equals(theirs as Uint8Array)
}

/** What the other side would send, made before the function is called. */
const ciphertexts = new WeakMap<Scene['keys'], Uint8Array>()

async function encapsulateOnce({ call, session, keys }: Scene): Promise<void> {
  if (ciphertexts.has(keys)) return
  const given = template({ VALUE_LEN: 32 })
  const [ciphertext] = await call('C_EncapsulateKey', [session, ML_KEM, keys.mlKem[0], given, 768])
  ciphertexts.set(keys, bytes(ciphertext))
}

const generation: readonly Row[] = [
  row({
    name: 'C_GenerateKey',
    makes: 1,
    call: ({ call, session }, context) =>
      call(
        'C_GenerateKey',
        [session, mechanism(CKM.AES_KEY_GEN), template({ ...LASTING, VALUE_LEN: 32 })],
        context,
      ),
    result: (scene, key) => attributeOf(scene, key as number, CKA.VALUE_LEN),
  }),
  row({
    name: 'C_GenerateKeyPair',
    makes: 2,
    call: ({ call, session }, context) =>
      call(
        'C_GenerateKeyPair',
        [
          session,
          mechanism(CKM.EC_KEY_PAIR_GEN),
          template({ ...LASTING, ...P256 }),
          template(LASTING),
        ],
        context,
      ),
    result: (scene, pair) => pairWorks(scene, pair as readonly number[]),
  }),
  row({
    name: 'C_GenerateKeyPair',
    form: 'RSA',
    makes: 2,
    waits: true,
    call: ({ call, session }, context) =>
      call(
        'C_GenerateKeyPair',
        [
          session,
          mechanism(CKM.RSA_PKCS_KEY_PAIR_GEN),
          template({ ...LASTING, MODULUS_BITS: 1024 }),
          template(LASTING),
        ],
        context,
      ),
    result: (scene, pair) =>
      attributeOf(scene, (pair as readonly number[])[0] as number, CKA.MODULUS_BITS),
  }),
]

const wrapping: readonly Row[] = [
  row({
    name: 'C_WrapKey',
    call: ({ call, session, keys }, context) =>
      call('C_WrapKey', [session, KEY_WRAP, keys.aes, keys.hmac, 100], context),
  }),
  row({
    name: 'C_UnwrapKey',
    makes: 1,
    call: ({ call, session, keys }, context) => {
      const given = template({ ...AES, ...LASTING, ...OPEN })
      return call('C_UnwrapKey', [session, KEY_WRAP, keys.aes, wrappedOf(SHORT), given], context)
    },
    result: (scene, key) => secretOf(scene, key as number),
  }),
  row({
    name: 'C_WrapKeyAuthenticated',
    call: ({ call, session, keys }, context) => {
      const how = wrapParameter(Buffer.alloc(16))
      const inputs = [session, how, keys.aes, keys.hmac, AAD, 100] as const
      return call('C_WrapKeyAuthenticated', [...inputs], context)
    },
  }),
  row({
    name: 'C_UnwrapKeyAuthenticated',
    makes: 1,
    call: ({ call, session, keys }, context) => {
      const sealed = gcmOf(SHORT)
      const how = wrapParameter(sealed.subarray(-16))
      const given = template({ ...AES, ...LASTING, ...OPEN })
      const wrapped = sealed.subarray(0, -16)
      const inputs = [session, how, keys.aes, wrapped, given, AAD] as const
      return call('C_UnwrapKeyAuthenticated', [...inputs], context)
    },
    result: (scene, key) => secretOf(scene, key as number),
  }),
]

const agreement: readonly Row[] = [
  row({
    name: 'C_DeriveKey',
    makes: 1,
    call: ({ call, session, keys }, context) => {
      const how = mechanism(CKM.CONCATENATE_BASE_AND_DATA, { data: SHORT })
      return call(
        'C_DeriveKey',
        [session, how, keys.hmac, template({ ...LASTING, ...OPEN })],
        context,
      )
    },
    result: (scene, key) => secretOf(scene, key as number),
  }),
  row({
    name: 'C_EncapsulateKey',
    makes: 1,
    call: ({ call, session, keys }, context) => {
      const given = template({ ...LASTING, ...OPEN, VALUE_LEN: 32 })
      return call('C_EncapsulateKey', [session, ML_KEM, keys.mlKem[0], given, 768], context)
    },
    result: (scene, answer) => isShared(scene, answer as readonly unknown[]),
  }),
  row({
    name: 'C_DecapsulateKey',
    makes: 1,
    begin: encapsulateOnce,
    call: ({ call, session, keys }, context) => {
      const given = template({ ...LASTING, ...OPEN, VALUE_LEN: 32 })
      const ciphertext = ciphertexts.get(keys) as Uint8Array
      return call('C_DecapsulateKey', [session, ML_KEM, keys.mlKem[1], given, ciphertext], context)
    },
    result: (scene, key) => secretOf(scene, key as number),
  }),
]

export const keys: readonly Row[] = [...generation, ...wrapping, ...agreement]
