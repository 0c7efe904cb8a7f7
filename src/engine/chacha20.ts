/**
 * ChaCha20 and ChaCha20-Poly1305 (RFC 8439), with nonces of 8 bytes (as first published) and 12, and
 * of 24 as XChaCha20 (draft-irtf-cfrg-xchacha-03).
 */
import { type CipherStream, cipherStream, type NamedCipherStream } from './ciphers.ts'

/** Bytes of a key. */
export const CHACHA20_KEY = 32

/** Bytes of a block of the key stream. */
export const CHACHA20_BLOCK = 64

/** Bytes of the tag of ChaCha20-Poly1305. */
export const POLY1305_TAG = 16

/** The words that every first block begins with: "expand 32-byte k". RFC 8439, 2.3. */
const CONSTANTS = Buffer.from('expand 32-byte k')

/** `iv`: words 12 to 15 of the state, which are the counter and the nonce. */
const rawStream = (key: Uint8Array, iv: Uint8Array): NamedCipherStream =>
  cipherStream({ name: 'ChaCha20', direction: 'encrypt', key, iv })

/**
 * HChaCha20: the key that XChaCha20 goes on with (2.2 of the draft). The rounds are OpenSSL's; what it
 * adds to them at the end, constants and nonce, which are no secret, is taken off again. OpenSSL keeps
 * whole blocks only, so one block of its key stream tells all.
 */
function hchacha20(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const block = rawStream(key, nonce).update(new Uint8Array(CHACHA20_BLOCK))
  const view = new DataView(block.buffer, block.byteOffset, block.length)
  const added = Buffer.concat([CONSTANTS, nonce])
  const subkey = Buffer.alloc(CHACHA20_KEY)
  for (let at = 0; at < CHACHA20_KEY; at += 4) {
    const word = view.getUint32(at < 16 ? at : at + 32, true)
    subkey.writeUInt32LE((word - added.readUInt32LE(at)) >>> 0, at)
  }
  block.fill(0)
  return subkey
}

/** Does something with the key and the last 8 bytes of the nonce that XChaCha20 makes of 24. */
function extended<T>(
  key: Uint8Array,
  nonce: Uint8Array,
  work: (subkey: Uint8Array, rest: Uint8Array) => T,
): T {
  const subkey = hchacha20(key, nonce.subarray(0, 16))
  try {
    return work(subkey, nonce.subarray(16))
  } finally {
    subkey.fill(0)
  }
}

/**
 * The stream of a key of 32 bytes. The counter and the nonce have 4 and 12 bytes, or 8 and 8, or 8
 * and 24; the counter is little-endian. OpenSSL carries from its first four bytes on: a caller with a
 * counter of four stops before it is used up.
 */
export function chacha20Stream(
  key: Uint8Array,
  counter: Uint8Array,
  nonce: Uint8Array,
): CipherStream {
  const from = (using: Uint8Array, last: Uint8Array) =>
    rawStream(using, Uint8Array.of(...counter, ...last))
  return nonce.length === 24 ? extended(key, nonce, from) : from(key, nonce)
}

export interface Chacha20Poly1305 {
  readonly direction: 'encrypt' | 'decrypt'
  /** 12 or 24 bytes. */
  readonly nonce: Uint8Array
  readonly aad: Uint8Array
}

/** ChaCha20-Poly1305 in parts; each part comes out as long as it went in. */
export function chacha20Poly1305(
  key: Uint8Array,
  { direction, nonce, aad }: Chacha20Poly1305,
): NamedCipherStream {
  const begin = (using: Uint8Array, iv: Uint8Array) =>
    cipherStream({ name: 'ChaCha20-Poly1305', direction, key: using, iv })
  const stream =
    nonce.length === 24
      ? extended(key, nonce, (subkey, rest) => begin(subkey, Uint8Array.of(0, 0, 0, 0, ...rest)))
      : begin(key, nonce)
  if (aad.length > 0) stream.aad(aad)
  return stream
}
