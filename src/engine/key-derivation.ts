/**
 * Key derivation by hashing a shared secret with a counter: ANSI X9.63 (SEC 1, 3.6.1) and the one-step
 * function of SP 800-56A rev. 3 (5.8.1.1, SP 800-56C rev. 2, 4). They differ in what comes first.
 */
import { type DigestName, digesting, digestLengths } from './digests.ts'

/** Bytes made of a secret and of what both sides know, as many as asked. Zeroes what it does not answer. */
export type HashDerivation = (
  digest: DigestName,
  secret: Uint8Array,
  info: Uint8Array,
  length: number,
) => Uint8Array

type Order = (
  secret: Uint8Array,
  counter: Uint8Array,
  info: Uint8Array,
) => readonly [Uint8Array, Uint8Array, Uint8Array]

/** The digests of the parts in an order, the counter of 32 bits running from 1. */
const inOrder =
  (order: Order): HashDerivation =>
  (digest, secret, info, length) => {
    const step = digestLengths[digest]
    const output = new Uint8Array(Math.ceil(length / step) * step)
    const counter = Buffer.alloc(4)
    for (let at = 0; at < output.length; at += step) {
      counter.writeUInt32BE(at / step + 1)
      const hash = digesting(digest)
      for (const part of order(secret, counter, info)) hash.update(part)
      output.set(hash.digest(), at)
    }
    output.fill(0, length)
    return output.subarray(0, length)
  }

/** ANSI X9.63: secret, counter, info. */
export const x963: HashDerivation = inOrder((secret, counter, info) => [secret, counter, info])

/** SP 800-56A, one step: counter, secret, info. */
export const oneStep: HashDerivation = inOrder((secret, counter, info) => [counter, secret, info])
