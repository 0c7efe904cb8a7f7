/**
 * How keys of every type look outside: SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) and PrivateKeyInfo
 * (RFC 5208; the OneAsymmetricKey of RFC 5958 is read too, without what it adds).
 */
import { bitString, contextTag, DerReader, element, octetString, sequence, TAG } from './der.ts'

/** An AlgorithmIdentifier: the OID's content bytes, and the parameters as a whole element. */
export interface Algorithm {
  readonly oid: Uint8Array
  /** Absent where the algorithm has none. */
  readonly parameters?: Uint8Array | undefined
}

const algorithmIdentifier = ({ oid, parameters = new Uint8Array(0) }: Algorithm): Uint8Array =>
  sequence(element(TAG.OBJECT_IDENTIFIER, oid), parameters)

function readAlgorithm(reader: DerReader): Algorithm {
  const within = reader.within()
  const oid = within.read(TAG.OBJECT_IDENTIFIER)
  const parameters = within.atEnd ? undefined : within.element()
  within.end()
  return { oid, parameters }
}

/** The SubjectPublicKeyInfo around a public key's own encoding. */
export const publicKeyInfo = (algorithm: Algorithm, key: Uint8Array): Uint8Array =>
  sequence(algorithmIdentifier(algorithm), bitString(key))

/** The PrivateKeyInfo around a private key's own encoding. */
export const privateKeyInfo = (algorithm: Algorithm, key: Uint8Array): Uint8Array =>
  sequence(Uint8Array.of(TAG.INTEGER, 1, 0), algorithmIdentifier(algorithm), octetString(key))

/** Algorithm and key of a PrivateKeyInfo, as views of it. Throws DerError. */
export function readPrivateKeyInfo(info: Uint8Array): { algorithm: Algorithm; key: Uint8Array } {
  const outer = new DerReader(info)
  const reader = outer.within()
  outer.end()
  reader.integer()
  const algorithm = readAlgorithm(reader)
  const key = reader.read(TAG.OCTET_STRING)
  // attributes [0], and the public key [1] of version 2: neither is needed.
  if (reader.nextTag === contextTag(0)) reader.element()
  if (reader.nextTag === (contextTag(1) & ~0x20)) reader.element()
  reader.end()
  return { algorithm, key }
}

/** Whether two OIDs, or two parameters, are the same. */
export const sameBytes = (one: Uint8Array, other: Uint8Array): boolean =>
  Buffer.compare(one, other) === 0
