/** What the fake service answers where a test asks for nothing special. */
import { CKM, CKR } from '../../src/standard/constants.ts'
import { structures } from '../../src/standard/structures.ts'
import { bytes, type Call, type Respond, u8, u32, u64 } from './fake-service.ts'

/** Mechanisms whose parameters the fake service wants flattened. */
export const LAYOUTS: readonly (readonly [type: number, layout: string, use?: number])[] = [
  [CKM.RSA_PKCS_PSS, structures.CK_RSA_PKCS_PSS_PARAMS.layout],
  [CKM.AES_GCM, structures.CK_GCM_PARAMS.layout],
  [CKM.ECDH1_DERIVE, structures.CK_ECDH1_DERIVE_PARAMS.layout],
  [CKM.EDDSA, structures.CK_EDDSA_PARAMS.layout],
  [CKM.AES_CTR, structures.CK_AES_CTR_PARAMS.layout],
  [CKM.RSA_AES_KEY_WRAP, structures.CK_RSA_AES_KEY_WRAP_PARAMS.layout],
  [CKM.SP800_108_COUNTER_KDF, structures.CK_SP800_108_KDF_PARAMS.layout],
  [CKM.TLS12_KEY_AND_MAC_DERIVE, structures.CK_TLS12_KEY_MAT_PARAMS.layout],
  [CKM.TLS12_MASTER_KEY_DERIVE, structures.CK_TLS12_MASTER_KEY_DERIVE_PARAMS.layout],
  [CKM.TLS_PRF, structures.CK_TLS_PRF_PARAMS.layout],
  [CKM.PBE_SHA1_DES3_EDE_CBC, structures.CK_PBE_PARAMS.layout],
  [CKM.CHACHA20, structures.CK_CHACHA20_PARAMS.layout],
  [CKM.CHACHA20_POLY1305, structures.CK_SALSA20_CHACHA20_POLY1305_PARAMS.layout],
  [CKM.AES_GCM, structures.CK_GCM_WRAP_PARAMS.layout, 1],
  [CKM.AES_GCM, structures.CK_GCM_MESSAGE_PARAMS.layout, 2],
]

const text = (value: string, length: number): Buffer => Buffer.from(value.padEnd(length))

/** A structure of zeros and blanks by its layout. */
export function blank(layout: string): Buffer {
  const parts = Array.from(layout.matchAll(/([uyv])|f(\d+)/g), ([, letter, length]) =>
    letter === undefined
      ? text('', Number(length))
      : Buffer.alloc({ u: 8, y: 1, v: 2 }[letter] ?? 0),
  )
  return Buffer.concat(parts)
}

let handles = 100

/** A handle that no other session had. Sessions of slot 7 are told apart by it. */
const nextHandle = (): number => ++handles

const answers: Readonly<Record<string, Respond>> = {
  C_Initialize: (call) => {
    const rows = LAYOUTS.map(([type, layout, use = 0]) =>
      Buffer.concat([u64(type), u8(use), bytes(layout)]),
    )
    call.answer('L', u32(rows.length), ...rows)
  },
  C_Finalize: (call) => call.answer(''),
  C_GetInfo: (call) =>
    call.answer(
      'S',
      Buffer.of(3, 2),
      text('Softoki', 32),
      u64(0),
      text('a fake service', 32),
      Buffer.of(0, 1),
    ),
  C_GetSlotList: (call) => {
    const given = call.values[1] === 1
    const room = call.u64(2)
    if (given && room >= 3) call.answer('n', u8(1), u32(3), u64(7), u64(8), u64(9))
    else call.answer('n', u8(0), u64(3))
  },
  C_GetSlotInfo: (call) => call.answer('S', blank(structures.CK_SLOT_INFO.layout)),
  C_GetTokenInfo: (call) => call.answer('S', blank(structures.CK_TOKEN_INFO.layout)),
  C_GetMechanismInfo: (call) => call.answer('S', u64(1), u64(2), u64(call.u64(8))),
  C_OpenSession: (call) => call.answer('u', u64(nextHandle())),
  C_GetSessionInfo: (call) => call.answer('S', u64(7), u64(0), u64(4), u64(call.u64(0))),
}

/** Functions that answer nothing but CKR_OK. */
const SILENT = new Set([
  'C_CloseSession',
  'C_CloseAllSessions',
  'C_Login',
  'C_InitToken',
  'C_SetPIN',
  'C_DigestInit',
  'C_SignInit',
  'C_FindObjectsInit',
])

export function usual(call: Call): void | Promise<void> {
  const answer = answers[call.name]
  if (answer !== undefined) return answer(call)
  if (SILENT.has(call.name)) return call.answer('')
  return call.fail(CKR.FUNCTION_NOT_SUPPORTED)
}

/** The usual answers, with some functions answered otherwise. */
export const withAnswers =
  (special: Readonly<Record<string, Respond>>): Respond =>
  (call) =>
    (special[call.name] ?? usual)(call)
