/**
 * Keys derived by digesting the value of another key. PKCS #11 3.2, .5 of 6.20 to 6.36, and
 * 6.32.2 (SHAKE); historical mechanisms, 2.12.5 (MD5).
 */
import { type DigestName, digestOf, shakeOf } from '../engine/digests.ts'
import { CKM } from '../standard/constants.ts'
import { derivedFrom, derivedLength, derivedValue } from './derived-keys.ts'
import { hashes } from './digests.ts'
import { LONGEST_SECRET } from './generic-secret.ts'
import type { Mechanism, MechanismArgument } from './mechanism.ts'
import { secretValue } from './secret-keys.ts'
import { digestOfT } from './sha512-t.ts'

interface Derivation extends Pick<Mechanism, 'section' | 'standing' | 'parameter'> {
  readonly name: keyof typeof CKM
  digest(mechanism: MechanismArgument): DigestName
}

const row = ({ name, digest, ...rest }: Derivation): Mechanism => ({
  type: CKM[name],
  name,
  keyTypes: [],
  anySecretKey: true,
  keySize: [0, 0],
  ...rest,
  derive: (base, { mechanism, template }) =>
    derivedFrom(template, digestOf(digest(mechanism), secretValue(base))),
})

/** SHAKE makes as many bytes as the key takes, so that it must be told how many. */
const shakeRow = (
  name: 'SHAKE_128_KEY_DERIVATION' | 'SHAKE_256_KEY_DERIVATION',
  shake: 'shake128' | 'shake256',
): Mechanism => ({
  type: CKM[name],
  name,
  section: '6.32.2',
  keyTypes: [],
  anySecretKey: true,
  keySize: [0, 0],
  derive: (base, { template }) => {
    const length = derivedLength(template, { most: LONGEST_SECRET })
    return derivedValue(template, shakeOf(shake, secretValue(base), length))
  },
})

/** The standard's names: without the underscore of SHA_1, and other words for BLAKE2b. */
function derivationName(name: (typeof hashes)[number]['name']): keyof typeof CKM {
  const names = [`${name.replace('SHA_1', 'SHA1')}_KEY_DERIVATION`, `${name}_KEY_DERIVE`]
  return names.find((candidate) => candidate in CKM) as keyof typeof CKM
}

export const hashDerivations: readonly Mechanism[] = [
  row({
    name: 'MD5_KEY_DERIVATION',
    section: 'hist 2.12.5',
    standing: 'legacy',
    digest: () => 'md5',
  }),
  ...hashes.map(({ name, section, digest }) =>
    row({ name: derivationName(name), section: `${section}.5`, digest: () => digest }),
  ),
  // 6.27.5 names no parameter, and t must come from somewhere: it is that of the digest.
  row({
    name: 'SHA512_T_KEY_DERIVATION',
    section: '6.27.5',
    parameter: 'bytes',
    digest: digestOfT,
  }),
  shakeRow('SHAKE_128_KEY_DERIVATION', 'shake128'),
  shakeRow('SHAKE_256_KEY_DERIVATION', 'shake256'),
]
