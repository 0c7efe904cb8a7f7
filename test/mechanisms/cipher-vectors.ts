/** Published vectors of ciphers and their MACs, with where they stand. */
import { CKK, CKM } from '../../src/standard/constants.ts'
import type { What } from './cipher-calls.ts'
import { ascii, hex, ulong } from './rows.ts'

export interface Vector {
  readonly name: string
  readonly what: What
  readonly input: Uint8Array
  /** In hexadecimal. */
  readonly output: string
}

const KEY_128 = hex('2b7e151628aed2a6abf7158809cf4f3c')
const COUNTING_16 = hex('000102030405060708090a0b0c0d0e0f')
const FOUR_BLOCKS =
  '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
  '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710'

const counting = (length: number, from = 0) =>
  Uint8Array.from({ length }, (_, at) => (from + at) & 255)

type Row = readonly [
  name: string,
  type: number,
  parameter: What['parameter'],
  input: Uint8Array,
  output: string,
]

const rows =
  (keyType: number, key: Uint8Array) =>
  ([name, type, parameter, input, output]: Row): Vector => ({
    name,
    what: { type, keyType, key, parameter },
    input,
    output,
  })

const aesModes: readonly Row[] = [
  [
    'SP 800-38A, F.4.1, OFB',
    CKM.AES_OFB,
    COUNTING_16,
    hex(FOUR_BLOCKS),
    '3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825' +
      '9740051e9c5fecf64344f7a82260edcc304c6528f659c77866a510d9c1d6ae5e',
  ],
  [
    'SP 800-38A, F.3.13, CFB128',
    CKM.AES_CFB128,
    COUNTING_16,
    hex(FOUR_BLOCKS),
    '3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b' +
      '26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6',
  ],
  [
    'SP 800-38A, F.3.7, CFB8',
    CKM.AES_CFB8,
    COUNTING_16,
    hex('6bc1bee22e409f96e93d7e117393172aae2d'),
    '3b79424c9c0dd436bace9e0ed4586a4f32b9',
  ],
  ['SP 800-38A, F.3.1, CFB1', CKM.AES_CFB1, COUNTING_16, hex('6bc1'), '68b3'],
]

/** RFC 3962, appendix B, with the last two blocks in the order of CBC-CS1 instead of CS3. */
const stealing: readonly Row[] = [
  [
    'RFC 3962, 17 bytes',
    CKM.AES_CTS,
    new Uint8Array(16),
    ascii('I would like the '),
    '97c6353568f2bf8cb4d8a580362da7ff7f',
  ],
  [
    'RFC 3962, 31 bytes',
    CKM.AES_CTS,
    new Uint8Array(16),
    ascii("I would like the General Gau's "),
    '97687268d6ecccc0c07b25e25ecfe5fc00783e0efdb2c1d445d4c8eff7ed22',
  ],
  [
    'RFC 3962, 47 bytes',
    CKM.AES_CTS,
    new Uint8Array(16),
    ascii("I would like the General Gau's Chicken, please,"),
    '97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5' +
      'b3fffd940c16a18c1b5549d2f838029e',
  ],
  [
    // Whole blocks: CS1 is CBC, where CS3 swaps the last two.
    'RFC 3962, 64 bytes',
    CKM.AES_CTS,
    new Uint8Array(16),
    ascii("I would like the General Gau's Chicken, please, and wonton soup."),
    '97687268d6ecccc0c07b25e25ecfe58439312523a78662d5be7fcbcc98ebf5a8' +
      '9dad8bbb96c4cdc03bc103e1a194bbd84807efe836ee89a526730dbc2f7bc840',
  ],
]

const ccm = (dataLen: number, nonce: Uint8Array, aad: Uint8Array, macLen: number) => ({
  dataLen,
  nonce,
  aad,
  macLen,
})

const CCM_38C: readonly Row[] = [
  [
    'SP 800-38C, example 1',
    CKM.AES_CCM,
    ccm(4, counting(7, 0x10), counting(8), 4),
    counting(4, 0x20),
    '7162015b4dac255d',
  ],
  [
    'SP 800-38C, example 2',
    CKM.AES_CCM,
    ccm(16, counting(8, 0x10), counting(16), 6),
    counting(16, 0x20),
    'd2a1f0e051ea5f62081a7792073d593d1fc64fbfaccd',
  ],
  [
    'SP 800-38C, example 3',
    CKM.AES_CCM,
    ccm(24, counting(12, 0x10), counting(20), 8),
    counting(24, 0x20),
    'e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951',
  ],
  [
    'SP 800-38C, example 4, with 64 KiB of additional data',
    CKM.AES_CCM,
    ccm(32, counting(13, 0x10), counting(65536), 14),
    counting(32, 0x20),
    '69915dad1e84c6376a68c2967e4dab615ae0fd1faec44cc484828529463ccf72b4ac6bec93e8598e7f0dadbcea5b',
  ],
]

const CCM_3610: Row = [
  'RFC 3610, packet vector 1',
  CKM.AES_CCM,
  ccm(23, hex('00000003020100a0a1a2a3a4a5'), counting(8), 8),
  counting(23, 8),
  '588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0',
]

const desModes: readonly Row[] = [
  [
    'FIPS 81, table C1, CBC',
    CKM.DES_CBC,
    hex('1234567890abcdef'),
    ascii('Now is the time for all '),
    'e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6',
  ],
  [
    'FIPS 81, CFB with 8 bits',
    CKM.DES_CFB8,
    hex('1234567890abcdef'),
    ascii('Now is the time for all '),
    'f31fda07011462ee187f43d80a7cd9b5b0d290da6e5b9a87',
  ],
  [
    'FIPS 81, CFB with 64 bits',
    CKM.DES_CFB64,
    hex('1234567890abcdef'),
    ascii('Now is the time for all '),
    'f3096249c7f46e51a69e839b1a92f78403467133898ea622',
  ],
  [
    'FIPS 81, OFB with 8 bits',
    CKM.DES_OFB8,
    hex('1234567890abcdef'),
    ascii('Now is the time for all '),
    'f34a2850c9c64985d684ad96d772e2f243ea499abee8ae95',
  ],
  [
    'FIPS 81, OFB with 64 bits',
    CKM.DES_OFB64,
    hex('1234567890abcdef'),
    ascii('Now is the time for all '),
    'f3096249c7f46e5135f24a242eeb3d3f3d6d5be3255af8c3',
  ],
]

const ecb = (
  name: string,
  [type, keyType]: readonly [number, number],
  key: string,
  input: string,
  output: string,
  parameter: What['parameter'] = null,
): Vector => ({
  name,
  what: { type, keyType, key: hex(key), parameter },
  input: hex(input),
  output,
})

const CAMELLIA = [CKM.CAMELLIA_ECB, CKK.CAMELLIA] as const
const ARIA = [CKM.ARIA_ECB, CKK.ARIA] as const
const SEED = [CKM.SEED_ECB, CKK.SEED] as const
const RC2 = [CKM.RC2_ECB, CKK.RC2] as const
const CAST128 = [CKM.CAST128_ECB, CKK.CAST128] as const
const CAMELLIA_BLOCK = '0123456789abcdeffedcba9876543210'
const ARIA_BLOCK = '00112233445566778899aabbccddeeff'
const HEX_COUNTING = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'

/** One block and little more, in ECB where the cipher has it. */
const singleBlocks: readonly Vector[] = [
  ecb(
    'RFC 3713, 128 bits',
    CAMELLIA,
    CAMELLIA_BLOCK,
    CAMELLIA_BLOCK,
    '67673138549669730857065648eabe43',
  ),
  ecb(
    'RFC 3713, 192 bits',
    CAMELLIA,
    `${CAMELLIA_BLOCK}0011223344556677`,
    CAMELLIA_BLOCK,
    'b4993401b3e996f84ee5cee7d79b09b9',
  ),
  ecb(
    'RFC 3713, 256 bits',
    CAMELLIA,
    CAMELLIA_BLOCK + ARIA_BLOCK,
    CAMELLIA_BLOCK,
    '9acc237dff16d76c20ef7c919e3a7509',
  ),
  ecb(
    'RFC 5528, test vector 1',
    [CKM.CAMELLIA_CTR, CKK.CAMELLIA],
    'ae6852f8121067cc4bf7a5765577f39e',
    '53696e676c6520626c6f636b206d7367',
    'd09dc29a8214619a20877c76db1f0b3f',
    { counterBits: 32, cb: hex('00000030000000000000000000000001') },
  ),
  ecb(
    'RFC 5794, A.1',
    ARIA,
    HEX_COUNTING.slice(0, 32),
    ARIA_BLOCK,
    'd718fbd6ab644c739da95f3be6451778',
  ),
  ecb(
    'RFC 5794, A.2',
    ARIA,
    HEX_COUNTING.slice(0, 48),
    ARIA_BLOCK,
    '26449c1805dbe7aa25a468ce263a9e79',
  ),
  ecb('RFC 5794, A.3', ARIA, HEX_COUNTING, ARIA_BLOCK, 'f92bd7c79fb72e2f2b8f80c1972d24fc'),
  ecb(
    'RFC 4269, B.1',
    SEED,
    '00'.repeat(16),
    HEX_COUNTING.slice(0, 32),
    '5ebac6e0054e166819aff1cc6d346cdb',
  ),
  ecb(
    'RFC 4269, B.2',
    SEED,
    HEX_COUNTING.slice(0, 32),
    '00'.repeat(16),
    'c11f22f20140505084483597e4370f43',
  ),
  ecb(
    'SP 800-67, B.1',
    [CKM.DES3_ECB, CKK.DES3],
    '0123456789abcdef23456789abcdef01456789abcdef0123',
    Buffer.from('The qufck brown fox jump').toString('hex'),
    'a826fd8ce53b855fcce21c8112256fe668d5c05dd9b6b900',
  ),
  ecb(
    'FIPS 81, table B1',
    [CKM.DES_ECB, CKK.DES],
    '0123456789abcdef',
    '4e6f772069732074',
    '3fa40e8a984d4815',
  ),
  ecb(
    'Lai, sample of IDEA',
    [CKM.IDEA_ECB, CKK.IDEA],
    '00010002000300040005000600070008',
    '0000000100020003',
    '11fbed2b01986de5',
  ),
  ecb(
    'RFC 2144, B.1, 128 bits',
    CAST128,
    '0123456712345678234567893456789a',
    '0123456789abcdef',
    '238b4fe5847e44b2',
  ),
  ecb(
    'RFC 2144, B.1, 80 bits',
    CAST128,
    '01234567123456782345',
    '0123456789abcdef',
    'eb6a711a2c02271b',
  ),
  ecb('RFC 2144, B.1, 40 bits', CAST128, '0123456712', '0123456789abcdef', '7ac816d16e9b302e'),
  // One block in CBC with an IV of zeros is that block in ECB.
  ecb(
    'Schneier, Blowfish',
    [CKM.BLOWFISH_CBC, CKK.BLOWFISH],
    'f0e1d2c3b4a59687',
    'fedcba9876543210',
    'e87a244e2cc85e82',
    new Uint8Array(8),
  ),
  ecb('RFC 2268, 63 bits', RC2, '00'.repeat(8), '00'.repeat(8), 'ebb773f993278eff', ulong(63)),
  ecb('RFC 2268, 64 bits of 1 byte', RC2, '88', '00'.repeat(8), '61a8a244adacccf0', ulong(64)),
  ecb(
    'RFC 2268, 129 bits of 33 bytes',
    RC2,
    '88bca90e90875a7f0f79c384627bafb216f80a6f85920584c42fceb0be255daf1e',
    '00'.repeat(8),
    '5b78d3a43dfff1f1',
    ulong(129),
  ),
  ecb(
    'RFC 6229, 40 bits',
    [CKM.RC4, CKK.RC4],
    '0102030405',
    '00'.repeat(16),
    'b2396305f03dc027ccc3524a0a1118a8',
  ),
]

const SUNSCREEN = ascii(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
)

const chacha = (counter: Uint8Array, nonce: Uint8Array) => ({
  blockCounter: counter,
  blockCounterBits: counter.length * 8,
  nonce,
  nonceBits: nonce.length * 8,
})

const CHACHA_AAD = hex('50515253c0c1c2c3c4c5c6c7')

const streams: readonly Vector[] = [
  {
    name: 'RFC 8439, 2.4.2',
    what: {
      type: CKM.CHACHA20,
      keyType: CKK.CHACHA20,
      key: counting(32),
      parameter: chacha(hex('01000000'), hex('000000000000004a00000000')),
    },
    input: SUNSCREEN,
    output:
      '6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b' +
      'f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8' +
      '07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736' +
      '5af90bbf74a35be6b40b8eedf2785e42874d',
  },
  {
    name: 'draft-agl-tls-chacha20poly1305-04, 7, the original nonce',
    what: {
      type: CKM.CHACHA20,
      keyType: CKK.CHACHA20,
      key: new Uint8Array(32),
      parameter: chacha(new Uint8Array(8), hex('0000000000000001')),
    },
    input: new Uint8Array(32),
    output: 'de9cba7bf3d69ef5e786dc63973f653a0b49e015adbff7134fcb7df137821031',
  },
  {
    name: 'RFC 8439, 2.8.2',
    what: {
      type: CKM.CHACHA20_POLY1305,
      keyType: CKK.CHACHA20,
      key: counting(32, 0x80),
      parameter: { nonce: hex('070000004041424344454647'), nonceLen: 12, aad: CHACHA_AAD },
    },
    input: SUNSCREEN,
    output:
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6' +
      '3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36' +
      '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
      '3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
  },
  {
    name: 'draft-irtf-cfrg-xchacha-03, A.3.1',
    what: {
      type: CKM.CHACHA20_POLY1305,
      keyType: CKK.CHACHA20,
      key: counting(32, 0x80),
      parameter: { nonce: counting(24, 0x40), nonceLen: 192, aad: CHACHA_AAD },
    },
    input: SUNSCREEN,
    output:
      'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb' +
      '731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452' +
      '2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9' +
      '21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49',
  },
]

const XTS = (
  name: string,
  key: string,
  unit: string,
  input: Uint8Array,
  output: string,
): Vector => ({
  name,
  what: { type: CKM.AES_XTS, keyType: CKK.AES_XTS, key: hex(key), parameter: hex(unit) },
  input,
  output,
})

const dataUnits: readonly Vector[] = [
  XTS(
    'IEEE 1619, vector 2',
    '11'.repeat(16) + '22'.repeat(16),
    `3333333333${'00'.repeat(11)}`,
    new Uint8Array(32).fill(0x44),
    'c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0',
  ),
  XTS(
    'IEEE 1619, vector 15, which steals ciphertext',
    'fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0bfbebdbcbbbab9b8b7b6b5b4b3b2b1b0',
    `9a78563412${'00'.repeat(11)}`,
    counting(17),
    '6c1625db4671522d3d7599601de7ca09ed',
  ),
]

/** Plaintexts and ciphertexts. */
export const cipherVectors: readonly Vector[] = [
  ...aesModes.map(rows(CKK.AES, KEY_128)),
  ...stealing.map(rows(CKK.AES, ascii('chicken teriyaki'))),
  ...CCM_38C.map(rows(CKK.AES, counting(16, 0x40))),
  rows(CKK.AES, counting(16, 0xc0))(CCM_3610),
  ...desModes.map(rows(CKK.DES, hex('0123456789abcdef'))),
  ...singleBlocks,
  ...streams,
  ...dataUnits,
]

const cmac: readonly Row[] = [
  ['SP 800-38B, D.1, no bytes', CKM.AES_CMAC, null, hex(''), 'bb1d6929e95937287fa37d129b756746'],
  [
    'SP 800-38B, D.1, 40 bytes',
    CKM.AES_CMAC,
    null,
    hex(FOUR_BLOCKS.slice(0, 80)),
    'dfa66747de9ae63030ca32611497c827',
  ],
  [
    'SP 800-38B, D.1, 64 bytes',
    CKM.AES_CMAC,
    null,
    hex(FOUR_BLOCKS),
    '51f0bebf7e3b9d92fc49741779363cfe',
  ],
  [
    'SP 800-38B, D.1, cut to 5 bytes',
    CKM.AES_CMAC_GENERAL,
    ulong(5),
    hex(FOUR_BLOCKS),
    '51f0bebf7e',
  ],
]

const cmacTriple: readonly Row[] = [
  ['SP 800-38B, D.4, no bytes', CKM.DES3_CMAC, null, hex(''), 'b7a688e122ffaf95'],
  ['SP 800-38B, D.4, 8 bytes', CKM.DES3_CMAC, null, hex('6bc1bee22e409f96'), '8e8f293136283797'],
  [
    'SP 800-38B, D.4, cut to 4 bytes',
    CKM.DES3_CMAC_GENERAL,
    ulong(4),
    hex('6bc1bee22e409f96'),
    '8e8f2931',
  ],
]

const xcbc: readonly Row[] = [
  ['RFC 3566, case 1', CKM.AES_XCBC_MAC, null, hex(''), '75f0251d528ac01c4573dfd584d79f29'],
  ['RFC 3566, case 2', CKM.AES_XCBC_MAC, null, counting(3), '5b376580ae2f19afe7219ceef172756f'],
  ['RFC 3566, case 3', CKM.AES_XCBC_MAC, null, counting(16), 'd2a246fa349b68a79998a4394ff7a263'],
  ['RFC 3566, case 4', CKM.AES_XCBC_MAC, null, counting(20), '47f51b4564966215b8985c63055ed308'],
  ['RFC 3566, case 5', CKM.AES_XCBC_MAC, null, counting(32), 'f54f0ec8d2b9f3d36807734bd5283fd4'],
  ['RFC 3566, case 6', CKM.AES_XCBC_MAC, null, counting(34), 'becbb3bccdb518a30677d5481fb6b4d8'],
  [
    'RFC 3566, case 7',
    CKM.AES_XCBC_MAC,
    null,
    new Uint8Array(1000),
    'f0dafee895db30253761103b5d84528f',
  ],
  ['RFC 3566, case 4', CKM.AES_XCBC_MAC_96, null, counting(20), '47f51b4564966215b8985c63'],
]

const chained: readonly Row[] = [
  ['FIPS 113, appendix 1', CKM.DES_MAC, null, ascii('7654321 Now is the time for '), 'f1d30f68'],
  [
    'FIPS 113, appendix 1, in full',
    CKM.DES_MAC_GENERAL,
    ulong(8),
    ascii('7654321 Now is the time for '),
    'f1d30f6849312ca4',
  ],
]

/** Messages and MACs. */
export const macVectors: readonly Vector[] = [
  ...cmac.map(rows(CKK.AES, KEY_128)),
  ...cmacTriple.map(rows(CKK.DES3, hex('8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5'))),
  ...xcbc.map(rows(CKK.AES, COUNTING_16)),
  ...chained.map(rows(CKK.DES, hex('0123456789abcdef'))),
]
