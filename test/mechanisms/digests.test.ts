import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digests, hashes } from '../../src/mechanisms/digests.ts'
import { CKM } from '../../src/standard/constants.ts'
import { Surrender } from '../../src/surrender/surrender.ts'
import { ascii, maker, mechanism, toHex } from './rows.ts'

/** Digests of 'abc': FIPS 180-4 and FIPS 202, from NIST's examples with intermediate values. */
const ABC: Readonly<Record<(typeof hashes)[number]['name'], string>> = {
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

for (const { name } of hashes)
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

for (const { name } of hashes)
  test(`a copy of a CKM_${name} operation goes on from where it was copied`, async () => {
    const digest = maker(digests, CKM[name], 'digest')({ mechanism: mechanism(CKM[name]) })
    await digest.update(ascii('ab'))
    const copy = digest.copy?.()
    await digest.update(ascii('x'))
    await copy?.update(ascii('c'))
    assert.equal(copy && toHex(await copy.final(new Surrender())), ABC[name])
    assert.notEqual(toHex(await digest.final(new Surrender())), ABC[name])
  })
