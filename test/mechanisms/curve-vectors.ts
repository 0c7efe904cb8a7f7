/** Known answers on elliptic curves, from RFCs and NIST, in hexadecimal. */

/** A signature of RFC 8032, 7. */
export interface EddsaVector {
  readonly scheme: 'Ed25519' | 'Ed25519ctx' | 'Ed25519ph' | 'Ed448' | 'Ed448ph'
  /** As the RFC heads it. */
  readonly title: string
  readonly privateKey: string
  readonly publicKey: string
  readonly message: string
  readonly context: string
  readonly signature: string
}

/** RFC 8032, 7.1 to 7.5; without the longest messages. */
export const rfc8032: readonly EddsaVector[] = [
  {
    scheme: 'Ed25519',
    title: 'TEST 1',
    privateKey: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    context: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a3' +
      '3bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    scheme: 'Ed25519',
    title: 'TEST 2',
    privateKey: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    context: '',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15' +
      '996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    scheme: 'Ed25519',
    title: 'TEST 3',
    privateKey: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    context: '',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16' +
      'f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    scheme: 'Ed25519',
    title: 'TEST SHA(abc)',
    privateKey: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274f' +
      'c1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    context: '',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90' +
      'b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
  {
    scheme: 'Ed25519ctx',
    title: 'foo',
    privateKey: '0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6',
    publicKey: 'dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292',
    message: 'f726936d19c800494e3fdaff20b276a8',
    context: '666f6f',
    signature:
      '55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a8b36950b9513' +
      '0022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d',
  },
  {
    scheme: 'Ed25519ctx',
    title: 'bar',
    privateKey: '0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6',
    publicKey: 'dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292',
    message: 'f726936d19c800494e3fdaff20b276a8',
    context: '626172',
    signature:
      'fc60d5872fc46b3aa69f8b5b4351d5808f92bcc044606db097abab6dbcb1aee3216c48e8b3b6' +
      '6431b5b186d1d28f8ee15a5ca2df6668346291c2043d4eb3e90d',
  },
  {
    scheme: 'Ed25519ctx',
    title: 'foo3',
    privateKey: 'ab9c2853ce297ddab85c993b3ae14bcad39b2c682beabc27d6d4eb20711d6560',
    publicKey: '0f1d1274943b91415889152e893d80e93275a1fc0b65fd71b4b0dda10ad7d772',
    message: 'f726936d19c800494e3fdaff20b276a8',
    context: '666f6f',
    signature:
      '21655b5f1aa965996b3f97b3c849eafba922a0a62992f73b3d1b73106a84ad85e9b86a7b6005' +
      'ea868337ff2d20a7f5fbd4cd10b0be49a68da2b2e0dc0ad8960f',
  },
  {
    scheme: 'Ed25519ph',
    title: 'TEST abc',
    privateKey: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message: '616263',
    context: '',
    signature:
      '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c' +
      '2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
  },
  {
    scheme: 'Ed448',
    title: 'Blank',
    privateKey:
      '6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc2f' +
      '044e39a3fc5b94492f8f032e7549a20098f95b',
    publicKey:
      '5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46' +
      'c7061bd6783df1e50f6cd1fa1abeafe8256180',
    message: '',
    context: '',
    signature:
      '533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f62' +
      '8281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a9df63e006c5d1c2d345b925d' +
      '8dc00b4104852db99ac5c7cdda8530a113a0f4dbb61149f05a7363268c71d95808ff2e652600',
  },
  {
    scheme: 'Ed448',
    title: '1 octet',
    privateKey:
      'c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2' +
      '877c5e3bc397a659949ef8021e954e0a12274e',
    publicKey:
      '43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb0074' +
      '2802b8438ea4cb82169c235160627b4c3a9480',
    message: '03',
    context: '',
    signature:
      '26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b9' +
      '81b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcec' +
      'bf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00',
  },
  {
    scheme: 'Ed448',
    title: '1 octet (with context)',
    privateKey:
      'c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2' +
      '877c5e3bc397a659949ef8021e954e0a12274e',
    publicKey:
      '43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb0074' +
      '2802b8438ea4cb82169c235160627b4c3a9480',
    message: '03',
    context: '666f6f',
    signature:
      'd4f8f6131770dd46f40867d6fd5d5055de43541f8c5e35abbcd001b32a89f7d2151f7647f11d' +
      '8ca2ae279fb842d607217fce6e042f6815ea000c85741de5c8da1144a6a1aba7f96de42505d7' +
      'a7298524fda538fccbbb754f578c1cad10d54d0d5428407e85dcbc98a49155c13764e66c3c00',
  },
  {
    scheme: 'Ed448',
    title: '11 octets',
    privateKey:
      'cd23d24f714274e744343237b93290f511f6425f98e64459ff203e8985083ffdf60500553abc' +
      '0e05cd02184bdb89c4ccd67e187951267eb328',
    publicKey:
      'dcea9e78f35a1bf3499a831b10b86c90aac01cd84b67a0109b55a36e9328b1e365fce161d71c' +
      'e7131a543ea4cb5f7e9f1d8b00696447001400',
    message: '0c3e544074ec63b0265e0c',
    context: '',
    signature:
      '1f0a8888ce25e8d458a21130879b840a9089d999aaba039eaf3e3afa090a09d389dba82c4ff2' +
      'ae8ac5cdfb7c55e94d5d961a29fe0109941e00b8dbdeea6d3b051068df7254c0cdc129cbe62d' +
      'b2dc957dbb47b51fd3f213fb8698f064774250a5028961c9bf8ffd973fe5d5c206492b140e00',
  },
  {
    scheme: 'Ed448',
    title: '64 octets',
    privateKey:
      'd65df341ad13e008567688baedda8e9dcdc17dc024974ea5b4227b6530e339bff21f99e68ca6' +
      '968f3cca6dfe0fb9f4fab4fa135d5542ea3f01',
    publicKey:
      'df9705f58edbab802c7f8363cfe5560ab1c6132c20a9f1dd163483a26f8ac53a39d6808bf4a1' +
      'dfbd261b099bb03b3fb50906cb28bd8a081f00',
    message:
      'bd0f6a3747cd561bdddf4640a332461a4a30a12a434cd0bf40d766d9c6d458e5512204a30c17' +
      'd1f50b5079631f64eb3112182da3005835461113718d1a5ef944',
    context: '',
    signature:
      '554bc2480860b49eab8532d2a533b7d578ef473eeb58c98bb2d0e1ce488a98b18dfde9b9b907' +
      '75e67f47d4a1c3482058efc9f40d2ca033a0801b63d45b3b722ef552bad3b4ccb667da350192' +
      'b61c508cf7b6b5adadc2c8d9a446ef003fb05cba5f30e88e36ec2703b349ca229c2670833900',
  },
  {
    scheme: 'Ed448ph',
    title: 'TEST abc',
    privateKey:
      '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42ef7822e0d510' +
      '4127dc05d6dbefde69e3ab2cec7c867c6e2c49',
    publicKey:
      '259b71c19f83ef77a7abd26524cbdb3161b590a48f7d17de3ee0ba9c52beb743c09428a131d6' +
      'b1b57303d90d8132c276d5ed3d5d01c0f53880',
    message: '616263',
    context: '',
    signature:
      '822f6901f7480f3d5f562c592994d9693602875614483256505600bbc281ae381f54d6bce2ea' +
      '911574932f52a4e6cadd78769375ec3ffd1b801a0d9b3f4030cd433964b6457ea39476511214' +
      'f97469b57dd32dbc560a9a94d00bff07620464a3ad203df7dc7ce360c3cd3696d9d9fab90f00',
  },
  {
    scheme: 'Ed448ph',
    title: 'TEST abc (with context)',
    privateKey:
      '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42ef7822e0d510' +
      '4127dc05d6dbefde69e3ab2cec7c867c6e2c49',
    publicKey:
      '259b71c19f83ef77a7abd26524cbdb3161b590a48f7d17de3ee0ba9c52beb743c09428a131d6' +
      'b1b57303d90d8132c276d5ed3d5d01c0f53880',
    message: '616263',
    context: '666f6f',
    signature:
      'c32299d46ec8ff02b54540982814dce9a05812f81962b649d528095916a2aa481065b1580423' +
      'ef927ecf0af5888f90da0f6a9a85ad5dc3f280d91224ba9911a3653d00e484e2ce232521481c' +
      '8658df304bb7745a73514cdb9bf3e15784ab71284f8d0704a608c54a6b62d97beb511d132100',
  },
]

/** Two sides of a Diffie-Hellman, and what they share. */
export interface ExchangeVector {
  readonly curve: string
  readonly privateKey: string
  readonly publicKey: string
  readonly peerPrivateKey: string
  readonly peerPublicKey: string
  readonly shared: string
}

/** RFC 7748, 6.1 and 6.2: Alice and Bob. */
export const rfc7748: readonly ExchangeVector[] = [
  {
    curve: 'X25519',
    privateKey: '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
    publicKey: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
    peerPrivateKey: '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
    peerPublicKey: 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
    shared: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
  },
  {
    curve: 'X448',
    privateKey:
      '9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a941974489' +
      '7391006382a6f127ab1d9ac2d8c0a598726b',
    publicKey:
      '9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d9' +
      '53d40c5b12da88120d53177f80e532c41fa0',
    peerPrivateKey:
      '1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d6927c120bb5ee8972b0d' +
      '3e21374c9c921b09d1b0366f10b65173992d',
    peerPublicKey:
      '3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232' +
      'a13ca706dcb57aec3dae07bdc1c67bf33609',
    shared:
      '07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c33554' +
      '3936521c24403085d59a449a5037514a879d',
  },
]

/** RFC 6979, A.1: K-163, and the signature of "sample" with SHA-256. */
export const rfc6979OnK163 = {
  scalar: '09a4d6792295a7f730fc3f2b49cbc0f62e862272f',
  x: '79aee090db05ec252d5cb4452f356be198a4ff96f',
  y: '782e29634ddc9a31ef40386e896baa18b53afa5a3',
  r: '113a63990598a3828c407c0f4d2438d990df99a7f',
  s: '1313a2e03f5412ddb296a22e2c455335545672d9f',
} as const

/**
 * NIST's CAVS 20.1, KAS static unified model with the concatenation KDF (SP 800-56A, 5.8.1.1), set EC
 * with SHA-384, the first that passes: P-256.
 */
export const cavsConcatenation = {
  scalar: '7f53489a94937a003f00739d576b68a0bb28a10eff0155e714d198ab965cd06e',
  peerX: 'fe00c8a10e56272bd684c8ac74ae4355e2f54f76a7a58215270767f9570e58dd',
  peerY: '8d87f729458015538b55468e2cfe86b9039b98ff8a8f3ce0e2551afa103c07fe',
  otherInfo:
    '4341565369643c775c1a0c67b8cde254d9ec3d5bbf89a1b2c3d4e581b4110d15749b4bfe1105' +
    '8df91e23a59ea76398',
  secret: 'e8b85880f711d443fd4c565f8adcf4ffa425d628b85359c03605915af70817df',
  key: '0fcad9ddf612998945602d09e60a1b74',
} as const
