/**
 * The PRF of TLS as a MAC of the handshake, as an exporter of keys, and for itself. PKCS #11 3.2, 6.40.3,
 * 6.40.8 and 6.40.9; RFC 5246, 7.4.9; RFC 5705, 4. CKM_TLS_PRF has a number in the header, and its
 * parameter in 6.40.2; what it does is that of the standard's older versions.
 */
import { equalInConstantTime } from '../engine/macs.ts'
import { CKM, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { derivedLength, derivedValue } from './derived-keys.ts'
import { likeBase, strictest } from './derived-policy.ts'
import { Gathered } from './gathered.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type {
  Begin,
  CryptokiObject,
  Derive,
  Made,
  Mechanism,
  MechanismArgument,
  Summary,
  Surrender,
  Verification,
} from './mechanism.ts'
import { dataIn, numberIn } from './parameter.ts'
import { secretValue } from './secret-keys.ts'
import { anyTls, type ProtocolPrf, randomsIn, TLS_KEY_TYPES, tls10 } from './tls-parameters.ts'

const invalid = (why: string) => new CryptokiError(CKR.MECHANISM_PARAM_INVALID, why)

/** Bytes that are MACed at most: the handshake comes digested, in some dozens of bytes. */
const MOST_MACED = 64 << 10

/** RFC 5246, 7.4.9: bytes of verify_data at least, and before TLS 1.2 always. */
const VERIFY_DATA = 12

/** ulServerOrClient. */
const labels: ReadonlyMap<number, string> = new Map([
  [1, 'server finished'],
  [2, 'client finished'],
])

function lengthIn(mechanism: MechanismArgument, isOld: boolean): number {
  const length = numberIn(mechanism, 'macLength')
  if (length < VERIFY_DATA || length > (isOld ? VERIFY_DATA : LONGEST_SECRET))
    throw invalid(`no verify_data of ${length} bytes is made`)
  return length
}

/** A MAC that gathers what the handshake's digest is, and the PRF at its end. */
function begin({ key, mechanism }: Begin) {
  const { prf, isOld } = anyTls(mechanism, 'prfHashMechanism')
  const label = labels.get(numberIn(mechanism, 'serverOrClient'))
  if (label === undefined) throw invalid('unknown ulServerOrClient')
  const length = lengthIn(mechanism, isOld)
  const secret = secretValue(key, TLS_KEY_TYPES)
  const gathered = new Gathered(MOST_MACED, CKR.DATA_LEN_RANGE)
  return {
    length,
    update: (part: Uint8Array) => gathered.add(part),
    final: async (surrender: Surrender) =>
      prf(secret, Buffer.from(label), [await gathered.take(surrender)], length),
  }
}

const sign = (what: Begin): Summary => begin(what)

function verify(what: Begin): Verification {
  const { length, update, final } = begin(what)
  return {
    update,
    final: async (signature, surrender) => {
      if (signature.length !== length)
        throw new CryptokiError(CKR.SIGNATURE_LEN_RANGE, `the MAC has not ${length} bytes`)
      if (!equalInConstantTime(await final(surrender), signature))
        throw new CryptokiError(CKR.SIGNATURE_INVALID, 'the MAC is that of another message or key')
    },
  }
}

/** RFC 5705, 4: a context has its length before it, 16 bits. */
function contextOf(mechanism: MechanismArgument): readonly Uint8Array[] {
  const context = dataIn(mechanism, 'contextData')
  if (context.length >= 1 << 16) throw invalid('the context data are too long')
  return context.length === 0
    ? []
    : [Uint8Array.of(context.length >> 8, context.length & 0xff), context]
}

/** 6.40.8. */
function exportKey(base: CryptokiObject, { mechanism, template }: Derive): Made {
  const { prf } = anyTls(mechanism, 'prfMechanism')
  const secret = secretValue(base, TLS_KEY_TYPES)
  const { client, server } = randomsIn(mechanism)
  const seed = [client, server, ...contextOf(mechanism)]
  const length = derivedLength(template, { most: LONGEST_SECRET })
  const value = prf(secret, dataIn(mechanism, 'label'), seed, length)
  return strictest(new Map([...derivedValue(template, value), ...likeBase(template, base)]), base)
}

/** The PRF for itself: the bytes go to the application, and no key is made. */
const pseudorandom =
  (prfOf: (mechanism: MechanismArgument) => ProtocolPrf): NonNullable<Mechanism['derive']> =>
  (base, { mechanism }) => {
    const room = dataIn(mechanism, 'output').length
    if (room === 0) throw invalid('there is no room for output')
    const seed = [dataIn(mechanism, 'seed')]
    const secret = secretValue(base, TLS_KEY_TYPES)
    const output = prfOf(mechanism)(secret, dataIn(mechanism, 'label'), seed, room)
    mechanism.answer?.({ output })
    return []
  }

const KEYS = { keyTypes: TLS_KEY_TYPES, keySize: [1, LONGEST_SECRET] } as const

const macRow = (name: 'TLS_MAC' | 'TLS12_MAC', section: string): Mechanism => ({
  type: CKM[name],
  name,
  section,
  ...KEYS,
  standing: 'approved',
  parameter: 'CK_TLS_MAC_PARAMS',
  sign,
  verify,
})

const exportRow = (name: 'TLS_KDF' | 'TLS12_KDF', section: string): Mechanism => ({
  type: CKM[name],
  name,
  section,
  ...KEYS,
  standing: 'approved',
  parameter: 'CK_TLS_KDF_PARAMS',
  derive: exportKey,
})

/** 6.41.6: that of TLS 1.2 with the digest that the parameter names. */
function wtls(mechanism: MechanismArgument): ProtocolPrf {
  const { prf, isOld } = anyTls(mechanism, 'digestMechanism')
  if (isOld) throw invalid('CKM_TLS_PRF is no digest')
  return prf
}

const prfRow = (
  row: Pick<Mechanism, 'section' | 'parameter'> & { readonly name: 'TLS_PRF' | 'WTLS_PRF' },
  prfOf: (mechanism: MechanismArgument) => ProtocolPrf,
): Mechanism => ({
  ...row,
  type: CKM[row.name],
  ...KEYS,
  standing: 'legacy',
  furtherKeys: () => ({ besides: false, templates: [], handles: () => ({}) }),
  derive: pseudorandom(prfOf),
})

export const tlsPrfs: readonly Mechanism[] = [
  prfRow({ name: 'TLS_PRF', section: '6.40', parameter: 'CK_TLS_PRF_PARAMS' }, tls10),
  prfRow({ name: 'WTLS_PRF', section: '6.41.6', parameter: 'CK_WTLS_PRF_PARAMS' }, wtls),
  macRow('TLS_MAC', '6.40.3'),
  macRow('TLS12_MAC', '6.40.9'),
  exportRow('TLS_KDF', '6.40.8'),
  exportRow('TLS12_KDF', '6.40.9'),
]
