/**
 * Pre-master and master secrets of SSL 3.0 and TLS. PKCS #11 3.2, 6.39.3 to 6.39.5, 6.40.4 and 6.40.5;
 * RFC 6101, 6.1; RFC 4346 and 5246, 8.1; RFC 7627, 4. CKM_TLS_MASTER_KEY_DERIVE and its like, for TLS
 * 1.0 and 1.1, have numbers in the standard's header only; they do as those of SSL 3.0.
 */
import { randomBytes } from '../engine/random.ts'
import type { Value } from '../objects/object.ts'
import { CKA, CKK, CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type {
  Attributes,
  CryptokiObject,
  Derive,
  Made,
  Make,
  Mechanism,
  MechanismArgument,
} from './mechanism.ts'
import { dataIn, numberIn, structureIn } from './parameter.ts'
import { secretValue } from './secret-keys.ts'
import {
  MASTER_SECRET,
  type ProtocolPrf,
  randomsIn,
  secretOf,
  ssl3,
  TLS_KEY_TYPES,
  tls10,
  tls12,
} from './tls-parameters.ts'

/** The label and the seed of a master secret. */
type Seed = (mechanism: MechanismArgument) => {
  readonly label: string
  readonly seed: readonly Uint8Array[]
}

const fromRandoms: Seed = (mechanism) => {
  const { client, server } = randomsIn(mechanism)
  return { label: 'master secret', seed: [client, server] }
}

/** RFC 7627, 4. */
const fromSessionHash: Seed = (mechanism) => ({
  label: 'extended master secret',
  seed: [dataIn(mechanism, 'sessionHash')],
})

interface Row extends Pick<Mechanism, 'section' | 'standing' | 'parameter'> {
  readonly name: keyof typeof CKM
  readonly prf: (mechanism: MechanismArgument) => ProtocolPrf
  readonly seed: Seed
  /** The only mechanisms that the master secret is for. */
  readonly allowed?: readonly number[]
}

/** 6.40.4; of the deprecated ones too. */
const TLS12_USES: readonly number[] = [
  CKM.TLS12_KEY_AND_MAC_DERIVE,
  CKM.TLS12_KEY_SAFE_DERIVE,
  CKM.TLS_KDF,
  CKM.TLS_MAC,
  CKM.TLS12_KDF,
  CKM.TLS12_MAC,
]

/** What a template allows of what a master secret is for; everything where it does not say. */
function usesOf(template: Attributes, allowed: readonly number[]): readonly number[] {
  const asked = template.get(CKA.ALLOWED_MECHANISMS)
  if (!Array.isArray(asked)) return allowed
  if (asked.length === 0 || !asked.every((type: number) => allowed.includes(type)))
    throw new CryptokiError(
      CKR.TEMPLATE_INCONSISTENT,
      'CKA_ALLOWED_MECHANISMS of a master secret allows what it is not for',
    )
  return asked
}

function checkType(template: Attributes): void {
  if (template.get(CKA.KEY_TYPE) !== CKK.GENERIC_SECRET)
    throw new CryptokiError(CKR.TEMPLATE_INCONSISTENT, 'a master secret is a generic secret')
}

/** The master secret from the value of the pre-master secret. */
function masterSecret(
  { prf, seed, allowed }: Row,
  secret: Uint8Array,
  { mechanism, template }: Derive,
): Made {
  checkType(template)
  const { label, seed: parts } = seed(mechanism)
  const value = prf(mechanism)(secret, Buffer.from(label), parts, MASTER_SECRET)
  const made = new Map<number, Value>([[CKA.VALUE, value]])
  return allowed ? made.set(CKA.ALLOWED_MECHANISMS, usesOf(template, allowed)) : made
}

const rowOf = (
  { name, section, standing, parameter }: Row,
  keySize: Mechanism['keySize'],
  derive: (base: CryptokiObject, make: Derive) => Made,
): Mechanism => ({
  type: CKM[name],
  name,
  section,
  keyTypes: TLS_KEY_TYPES,
  keySize,
  ...(standing && { standing }),
  ...(parameter && { parameter }),
  derive,
})

/** From the 48 bytes of the RSA suites, whose first two are the version that the client asked for. */
const fromRsa = (row: Row): Mechanism =>
  rowOf(row, [MASTER_SECRET, MASTER_SECRET], (base, make) => {
    const secret = secretOf(base, MASTER_SECRET)
    const made = masterSecret(row, secret, make)
    const [major, minor] = secret as unknown as [number, number]
    make.mechanism.answer?.({ version: { major, minor } })
    return made
  })

/** From what Diffie-Hellman agreed on. The standard has 48 bytes for both bounds here, too, and any length in its text. */
const fromDh = (row: Row): Mechanism =>
  rowOf(row, [1, LONGEST_SECRET], (base, make) => {
    if (structureIn(make.mechanism, 'version') !== null)
      throw new CryptokiError(CKR.MECHANISM_PARAM_INVALID, 'pVersion must be NULL')
    return masterSecret(row, secretValue(base, TLS_KEY_TYPES), make)
  })

/** 6.39.3: the version, and then random bytes. */
function generatePreMaster({ mechanism, template }: Make): Made {
  checkType(template)
  const version = ['major', 'minor'].map((name) => numberIn(mechanism, name))
  return new Map([
    [CKA.VALUE, Uint8Array.of(...version, ...randomBytes(MASTER_SECRET - version.length))],
  ])
}

const generation = (
  name: 'SSL3_PRE_MASTER_KEY_GEN' | 'TLS_PRE_MASTER_KEY_GEN',
  standing: Pick<Mechanism, 'standing'>,
): Mechanism => ({
  type: CKM[name],
  name,
  section: '6.39.3',
  keyTypes: TLS_KEY_TYPES,
  keySize: [MASTER_SECRET, MASTER_SECRET],
  ...standing,
  supplies: [CKA.VALUE_LEN],
  parameter: 'CK_VERSION',
  generateKey: generatePreMaster,
})

const ssl3Row = {
  standing: 'legacy',
  parameter: 'CK_SSL3_MASTER_KEY_DERIVE_PARAMS',
  seed: fromRandoms,
} as const

const tls12Row = { standing: 'approved', prf: tls12, allowed: TLS12_USES } as const
const plain = { parameter: 'CK_TLS12_MASTER_KEY_DERIVE_PARAMS', seed: fromRandoms } as const
const extended = {
  parameter: 'CK_TLS12_EXTENDED_MASTER_KEY_DERIVE_PARAMS',
  seed: fromSessionHash,
} as const

export const tlsMasterKeys: readonly Mechanism[] = [
  generation('SSL3_PRE_MASTER_KEY_GEN', { standing: 'legacy' }),
  generation('TLS_PRE_MASTER_KEY_GEN', {}),
  fromRsa({ ...ssl3Row, name: 'SSL3_MASTER_KEY_DERIVE', section: '6.39.4', prf: ssl3 }),
  fromDh({ ...ssl3Row, name: 'SSL3_MASTER_KEY_DERIVE_DH', section: '6.39.5', prf: ssl3 }),
  fromRsa({ ...ssl3Row, name: 'TLS_MASTER_KEY_DERIVE', section: '6.40', prf: tls10 }),
  fromDh({ ...ssl3Row, name: 'TLS_MASTER_KEY_DERIVE_DH', section: '6.40', prf: tls10 }),
  fromRsa({ ...tls12Row, ...plain, name: 'TLS12_MASTER_KEY_DERIVE', section: '6.40.4' }),
  fromDh({ ...tls12Row, ...plain, name: 'TLS12_MASTER_KEY_DERIVE_DH', section: '6.40.5' }),
  fromRsa({
    ...tls12Row,
    ...extended,
    name: 'TLS12_EXTENDED_MASTER_KEY_DERIVE',
    section: '6.40.4',
  }),
  fromDh({
    ...tls12Row,
    ...extended,
    name: 'TLS12_EXTENDED_MASTER_KEY_DERIVE_DH',
    section: '6.40.5',
  }),
]
