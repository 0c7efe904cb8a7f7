/** Diffie-Hellman over OpenSSL: PKCS #3 and ANSI X9.42, whose key derivation is RFC 2631's, too. */
import { isNativeError, type NativeKey, native } from './binding.ts'
import { DerReader, TAG } from './der.ts'
import { digesting, digestLengths } from './digests.ts'
import { type Domain, dhField, x942Field } from './finite-field.ts'

/** The secret that two sides share, as long as the prime. Undefined where OpenSSL refuses either. */
export function agree(key: NativeKey, peer: NativeKey): Uint8Array | undefined {
  try {
    return native().derive(key, peer, { pad: 1 })
  } catch (error) {
    if (isNativeError(error, 'OPENSSL_DERIVE')) return undefined
    throw error
  }
}

/** Groups with a safe prime by their names: RFC 7919 and RFC 3526. */
export const knownGroups: readonly string[] = [2048, 3072, 4096, 6144, 8192].flatMap((bits) => [
  `ffdhe${bits}`,
  `modp${bits}`,
])

/** The prime and the base of one of them, which OpenSSL calls modp_2048. */
export function domainOfGroup(name: string): Domain {
  const key = native().importKey(dhField.type, 'parameters', {
    group: name.replace(/^modp/, 'modp_'),
  })
  return { p: native().component(key, 'p'), g: native().component(key, 'g') }
}

/** A fresh safe prime of so many bits, and the base 2: from seconds (1024 bits) to an hour (8192). */
export function generateDhParameters(bits: number): Domain {
  const made = native().generateParameters(dhField.type, { pbits: bits })
  return { p: native().component(made, 'p'), g: native().component(made, 'g') }
}

/** What FIPS 186-4 permits (4.2), and OpenSSL makes by it. */
const FIPS_186_4: ReadonlySet<string> = new Set(['1024/160', '2048/224', '2048/256'])

/**
 * Fresh p, q and g. OpenSSL makes any other size as FIPS 186-2 had it, which is how X9.42 does it:
 * q has 160, 224 or 256 bits.
 */
export function generateX942Parameters(bits: number, subprimeBits: number): Required<Domain> {
  const type = FIPS_186_4.has(`${bits}/${subprimeBits}`) ? 'fips186_4' : 'fips186_2'
  const made = native().generateParameters(x942Field.type, {
    type,
    pbits: bits,
    qbits: subprimeBits,
  })
  const part = (name: string) => native().component(made, name)
  return { p: part('p'), q: part('q'), g: part('g') }
}

/** The counter in a copy of an OtherInfo (RFC 2631, 2.1.2): a view of it. Throws DerError. */
function counterOf(otherInfo: Uint8Array): Uint8Array {
  const outer = new DerReader(otherInfo)
  const keyInfo = outer.within().within()
  outer.end()
  keyInfo.read(TAG.OBJECT_IDENTIFIER)
  const counter = keyInfo.read(TAG.OCTET_STRING)
  keyInfo.end()
  return counter
}

/**
 * So many bytes by X9.42 with SHA-1: of ZZ and OtherInfo, whose counter runs from 1. Undefined where
 * the OtherInfo's own counter is not 1. Throws DerError where it is none.
 */
export function x942Asn1(
  secret: Uint8Array,
  otherInfo: Uint8Array,
  length: number,
): Uint8Array | undefined {
  const info = Uint8Array.from(otherInfo)
  const counter = Buffer.from(counterOf(info).buffer, counterOf(info).byteOffset, 4)
  if (counterOf(info).length !== 4 || counter.readUInt32BE() !== 1) return undefined
  const step = digestLengths.sha1
  const output = new Uint8Array(Math.ceil(length / step) * step)
  for (let at = 0; at < output.length; at += step) {
    counter.writeUInt32BE(at / step + 1)
    const hash = digesting('sha1')
    hash.update(secret)
    hash.update(info)
    output.set(hash.digest(), at)
  }
  output.fill(0, length)
  return output.subarray(0, length)
}
