/** Agreeing on a secret: ECDH on curves of every form, the same to whoever derives a key from it. */
import { ecdh, generateEc, importEcPrivate, importEcPublic, pointBytes } from '../engine/ec.ts'
import {
  generateOctets,
  importOctetPrivate,
  importOctetPublic,
  octetEcdh,
} from '../engine/octet-curves.ts'
import { numberOf } from '../objects/object.ts'
import { CKA, CKK, CKO, CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { ecKeyOf, readPoint } from './ec-keys.ts'
import type { CryptokiObject } from './mechanism.ts'
import { montgomeryKeyOf, readOctets } from './octet-curve-keys.ts'

/** What a type of key can agree on. Points are told raw, without an OCTET STRING. */
export interface Agreement {
  /** Bytes of the secret that the keys of a curve share; of the key of either class. */
  secretBytes(key: CryptokiObject): number
  /** Bytes of a raw point of the curve that a key of either class is on, uncompressed where points can be. */
  pointBytes(key: CryptokiObject): number
  /** The secret shared with the owner of a public key; undefined where that is no key of the curve. */
  receive(
    key: CryptokiObject,
    publicData: Uint8Array,
    withCofactor: boolean,
  ): Uint8Array | undefined
  /** A fresh point on the curve of a public key, and the secret shared with its owner. */
  send(
    key: CryptokiObject,
    withCofactor: boolean,
  ): { readonly point: Uint8Array; readonly secret: Uint8Array | undefined }
}

/** A public key, or else a private one. */
const classOf = (key: CryptokiObject): number =>
  numberOf(key, CKA.CLASS) === CKO.PUBLIC_KEY ? CKO.PUBLIC_KEY : CKO.PRIVATE_KEY

const privateEc = (key: CryptokiObject) => ecKeyOf(key, CKO.PRIVATE_KEY)

/** Of either class. */
const anyEc = (key: CryptokiObject) => ecKeyOf(key, classOf(key))

const weierstrass: Agreement = {
  secretBytes: (key) => anyEc(key).curve.bytes,
  pointBytes: (key) => pointBytes(anyEc(key).curve),
  receive(key, publicData, withCofactor) {
    const own = privateEc(key)
    const point = readPoint(own.curve, publicData)
    const peer = point && importEcPublic(own.curve, point)
    return peer && ecdh(own, peer, withCofactor)
  },
  send(key, withCofactor) {
    const peer = ecKeyOf(key, CKO.PUBLIC_KEY)
    const { scalar, point } = generateEc(peer.curve)
    const own = importEcPrivate(peer.curve, scalar)
    scalar.fill(0)
    return { point, secret: own && ecdh(own, peer, withCofactor) }
  },
}

const privateMontgomery = (key: CryptokiObject) => montgomeryKeyOf(key, CKO.PRIVATE_KEY)
const anyMontgomery = (key: CryptokiObject) => montgomeryKeyOf(key, classOf(key))

/** RFC 7748 has no cofactor to switch on: it is in every private key. */
const montgomery: Agreement = {
  secretBytes: (key) => anyMontgomery(key).curve.bytes,
  pointBytes: (key) => anyMontgomery(key).curve.bytes,
  receive(key, publicData) {
    const own = privateMontgomery(key)
    const octets = readOctets(own.curve, publicData)
    const peer = octets && importOctetPublic(own.curve, octets)
    return peer && octetEcdh(own, peer)
  },
  send(key) {
    const peer = montgomeryKeyOf(key, CKO.PUBLIC_KEY)
    const { privateOctets, publicOctets } = generateOctets(peer.curve)
    const own = importOctetPrivate(peer.curve, privateOctets)
    privateOctets.fill(0)
    return { point: publicOctets, secret: own && octetEcdh(own, peer) }
  },
}

const agreements: ReadonlyMap<number | undefined, Agreement> = new Map([
  [CKK.EC, weierstrass],
  [CKK.EC_MONTGOMERY, montgomery],
])

/** How a key agrees. Throws CKR_KEY_TYPE_INCONSISTENT for a key of a type that does not. */
export function agreementOf(key: CryptokiObject): Agreement {
  const agreement = agreements.get(numberOf(key, CKA.KEY_TYPE))
  if (agreement === undefined)
    throw new CryptokiError(CKR.KEY_TYPE_INCONSISTENT, 'keys of this type share no secret')
  return agreement
}
