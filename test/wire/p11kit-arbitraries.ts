/** Random inputs that p11-kit's protocol can say, by version. */
import fc, { type Arbitrary } from 'fast-check'
import type { Attribute, AttributeQuery, MechanismArgument } from '../../src/standard/calls.ts'
import { CKA, CKM } from '../../src/standard/constants.ts'
import type { StructureName } from '../../src/wire/layouts.ts'
import {
  bytes,
  type InputArbitraries,
  inputArbitraries,
  parameterOf,
  ulong,
} from './arbitraries.ts'

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const attribute = (type: number, value: Arbitrary<Attribute['value']>) =>
  fc.record({ type: fc.constant(type), value })

const mechanisms = fc.nat(3).chain((count) => exactly(8 * count))

const { template } = fc.letrec<{ template: Attribute[] }>((tie) => ({
  template: fc.array(
    fc.oneof(
      { depthSize: 'small' },
      attribute(CKA.TOKEN, exactly(1)),
      attribute(CKA.CLASS, exactly(8)),
      attribute(CKA.LABEL, bytes),
      attribute(CKA.START_DATE, exactly(8)),
      attribute(CKA.PARAMETER_SET, exactly(8)),
      attribute(CKA.ALLOWED_MECHANISMS, mechanisms),
      attribute(CKA.UNWRAP_TEMPLATE, tie('template')),
    ),
    { maxLength: 5 },
  ),
}))

const structured: readonly (readonly [number, StructureName])[] = [
  [CKM.SHA256_RSA_PKCS_PSS, 'CK_RSA_PKCS_PSS_PARAMS'],
  [CKM.RSA_PKCS_OAEP, 'CK_RSA_PKCS_OAEP_PARAMS'],
  [CKM.ECDH1_DERIVE, 'CK_ECDH1_DERIVE_PARAMS'],
  [CKM.AES_CTR, 'CK_AES_CTR_PARAMS'],
  [CKM.AES_GCM, 'CK_GCM_PARAMS'],
]

const mechanism: Arbitrary<MechanismArgument | null> = fc.option(
  fc.oneof(
    fc.record({
      type: fc.constantFrom(CKM.SHA256, CKM.RSA_PKCS, CKM.AES_ECB),
      parameter: fc.constant(null),
    }),
    fc.record({ type: fc.constant(CKM.AES_CBC), parameter: fc.option(exactly(16)) }),
    fc.record({ type: fc.constant(CKM.SHA256_HMAC_GENERAL), parameter: exactly(8) }),
    fc
      .constantFrom(...structured)
      .chain(([type, name]) => parameterOf(name).map((parameter) => ({ type, parameter }))),
  ),
)

const some = fc.integer({ min: 1, max: 0xfffffffe })

const query = (version: number): Arbitrary<AttributeQuery[]> => {
  const plain = fc.record({ type: fc.constantFrom(CKA.LABEL, CKA.TOKEN), room: fc.option(some) })
  const empty = fc.constant({ type: CKA.WRAP_TEMPLATE, room: null })
  const nested = fc
    .array(plain, { minLength: 1, maxLength: 3 })
    .map((within) => ({ type: CKA.WRAP_TEMPLATE, room: within.length * 24, within }))
  const flat = fc.record({ type: fc.constant(CKA.WRAP_TEMPLATE), room: some })
  return fc.array(fc.oneof(plain, empty, version === 0 ? flat : nested), { maxLength: 5 })
}

export const p11kitInputs = (version: number): InputArbitraries => ({
  ...inputArbitraries,
  slot: ulong,
  template,
  mechanism,
  notify: fc.constant(false),
  room: fc.option(version === 0 ? some : fc.integer({ min: 0, max: 0xfffffffe })),
  fill: version === 0 ? u32 : fc.integer({ min: 0, max: 0xfffffffe }),
  list: fc.option(fc.integer({ min: 1, max: 0xffffffff })),
  query: query(version),
  parameter: fc.record({ type: fc.constant(0), parameter: fc.option(exactly(16)) }),
})
