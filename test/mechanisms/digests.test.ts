import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digests, hashes, historicalHashes } from '../../src/mechanisms/digests.ts'
import { sha512T } from '../../src/mechanisms/sha512-t.ts'
import { CKM, CKR } from '../../src/standard/constants.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import { ascii, maker, mechanism, toHex, ulong, withReturnValue } from './rows.ts'

const all = [...hashes, ...historicalHashes]

/**
 * Digests of 'abc': FIPS 180-4 and FIPS 202, from NIST's examples with intermediate values; RFC 1321,
 * A.5; the page of RIPEMD-160; RFC 7693, appendix A, and for the shorter ones Python's hashlib, which
 * has BLAKE2's reference implementation.
 */
const ABC: Readonly<Record<(typeof all)[number]['name'], string>> = {
  MD5: '900150983cd24fb0d6963f7d28e17f72',
  RIPEMD160: '8eb208f7e05d987a9b044a8e98c6b087f15a0bfc',
  BLAKE2B_160: '384264f676f39536840523f284921cdc68b6846b',
  BLAKE2B_256: 'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319',
  BLAKE2B_384:
    '6f56a82c8e7ef526dfe182eb5212f7db9df1317e57815dbda46083fc30f54ee6c66ba83be64b302d7cba6ce15bb556f4',
  BLAKE2B_512:
    'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1' +
    '7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
  SHA_1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  SHA224: '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7',
  SHA256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  SHA384:
    'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  SHA512:
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
    '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  SHA512_224: '4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa',
  SHA512_256: '53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23',
  SHA3_224: 'e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf',
  SHA3_256: '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532',
  SHA3_384:
    'ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25',
  SHA3_512:
    'b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e' +
    '10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0',
}

for (const { name } of all)
  test(`CKM_${name} makes the digest its standard gives, whole and in parts`, async () => {
    for (const parts of [['abc'], ['a', 'b', 'c'], ['', 'ab', '', 'c']]) {
      const digest = maker(digests, CKM[name], 'digest')({ mechanism: mechanism(CKM[name]) })
      assert.equal(digest.length, ABC[name].length / 2)
      for (const part of parts) await digest.update(ascii(part))
      assert.equal(toHex(await digest.final(new Surrender())), ABC[name])
    }
  })

test('a digest of nothing is the digest of the empty message', async () => {
  const digest = maker(digests, CKM.SHA256, 'digest')({ mechanism: mechanism(CKM.SHA256) })
  assert.equal(
    toHex(await digest.final(new Surrender())),
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  )
})

for (const { name } of all)
  test(`a copy of a CKM_${name} operation goes on from where it was copied`, async () => {
    const digest = maker(digests, CKM[name], 'digest')({ mechanism: mechanism(CKM[name]) })
    await digest.update(ascii('ab'))
    const copy = digest.copy?.()
    await digest.update(ascii('x'))
    await copy?.update(ascii('c'))
    assert.equal(copy && toHex(await copy.final(new Surrender())), ABC[name])
    assert.notEqual(toHex(await digest.final(new Surrender())), ABC[name])
  })

test('CKM_SHA512_T is SHA-512/224 or SHA-512/256 by its parameter, and nothing else', async () => {
  const begin = (parameter: Uint8Array) =>
    maker(sha512T, CKM.SHA512_T, 'digest')({ mechanism: mechanism(CKM.SHA512_T, parameter) })
  for (const t of [224, 256] as const) {
    const digest = begin(ulong(t))
    assert.equal(digest.length, t / 8)
    await digest.update(ascii('abc'))
    assert.equal(toHex(await digest.final(new Surrender())), ABC[`SHA512_${t}`])
  }
  for (const parameter of [...[0, 1, 28, 160, 384, 512, 2 ** 53].map(ulong), new Uint8Array(4)])
    assert.throws(() => begin(parameter), withReturnValue(CKR.MECHANISM_PARAM_INVALID))
})

test('a digest is the same around the length of its block, whole and in parts', async () => {
  for (const { name } of all)
    for (const length of [0, 55, 56, 63, 64, 65, 127, 128, 129, 143, 144, 145]) {
      const message = new Uint8Array(length).fill(0x61)
      const of = async (size: number) => {
        const digest = maker(digests, CKM[name], 'digest')({ mechanism: mechanism(CKM[name]) })
        for (let at = 0; at < length; at += size)
          await digest.update(message.subarray(at, at + size))
        return toHex(await digest.final(new Surrender()))
      }
      assert.equal(await of(1), await of(length + 1), `${name} of ${length} bytes`)
    }
})
