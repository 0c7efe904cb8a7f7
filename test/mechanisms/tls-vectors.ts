/** Known answers of NIST's CAVP for the key derivation of TLS (CAVS 17.8). */
export interface TlsCase {
  readonly version: '1.0' | '1.2'
  readonly preMaster: string
  readonly serverHelloRandom: string
  readonly clientHelloRandom: string
  readonly serverRandom: string
  readonly clientRandom: string
  readonly master: string
  readonly keyBlock: string
}

export const tlsCases: readonly TlsCase[] = [
  {
    // TLS 1.0/1.1, COUNT = 0
    version: '1.0',
    preMaster:
      '4850b7f08f8502ea0b699377f649fa6f5af5b56c03f11381766cad0d96b129c962ff9246ef465d1e1847b857ef93d543',
    serverHelloRandom: '75d3a1c51c9651992d805a367b0446415d492c76be054eaeb7e31736d20068cf',
    clientHelloRandom: 'b47ec547fa8553959510982b9bf5628af8b1295f3bead03035ab417bfb26d6f5',
    serverRandom: 'eb4fece2c5589f51d143bee18191fc280f1b0daf71f7d4c0d41aa3440229949f',
    clientRandom: 'ae3a8f247d52ca855184c07504ce1014df1180d9580e5c2e2bf6c9efb2870c60',
    master:
      'e8d72a6c2b05dee3b2d1516ef0963ce7686e491d4cc2d4b647d0889fa9ae2f6a4e3c3c57e442268e60dc27b3cadfe17c',
    keyBlock:
      '200549a88def3166d1cc9d851a09e063ef42c7dd1989e3570ef65925e02087a0fb1dbf4eddf05780e4a1a0e184c75088e5e485d9d90b7ae7f56415924252606ab1041f7649f21fc715307ff481d0d429bc2eeb384a08963ff5f93b689a77d3d2208409cd72dedec6',
  },
  {
    // TLS 1.0/1.1, COUNT = 1
    version: '1.0',
    preMaster:
      'be6bcbabad484475d9d3b672878a4fdd773e0cfc878e6ac246cfb0ea0b61344afd10d63a9e58f3599f2c0c73d7c4d398',
    serverHelloRandom: '151d935588b4ac61868d78cb88c76c3bed52cf6c4da4b32a240518b1ecca9401',
    clientHelloRandom: '23eb2194fbf2f0dae1086d2c66e822cdaf1af72e70c74fd5f598d9d76705a9d7',
    serverRandom: '9736314752f76fef90556cf38b7ea937883f610bda092061f7e4cde2748d0e27',
    clientRandom: 'd5e656b2a0748b4aa079d16e2ab16944716ed760258a32805e4a415feba95532',
    master:
      '6523bc3ffdef6910790c17d40d52a0ee54f7d21eafe5057f99817f84a50bc324ef25a017771f5f24beb9cf74dd577db3',
    keyBlock:
      '3b37b7653057aca73ab3edcb52a3129d242b0d149d84c8a97750bbe1ec06d218a2ebbf526ecc4fbcb50e3d3761986ce18435d61fdbb307f058d44f6cfafcd9d196f33b695c238e78e1b17f25f8c500de894be06ca1fddbcbb6a8d24c4b26a474693e8a414076efcd',
  },
  {
    // TLS 1.2, SHA-256, COUNT = 0
    version: '1.2',
    preMaster:
      '193f02f13c3c59ccb33c39e94a1cb5cdebf4ac41d5f599dbe9131f6df8264ddfbd2570e22b473b11458ccbf1c1ecfbdb',
    serverHelloRandom: '388a24f4e0850efffa5d690c97dbb5dfe9a61422e6257d4fbd4d633741bb3133',
    clientHelloRandom: 'cd80dbd121522fcff7ace185a2fd7574ca9373d80749a26cfb7922636983856b',
    serverRandom: 'e08971d42d127c20df826e9529e58eb20f061628a51c0f1cb3904940ea5fab26',
    clientRandom: 'c1ee3a6484b44eeb6f582ec2dd4092cb2c5b90fe2816f0bcd60540666d4bc172',
    master:
      'e8389cf4ae9d20a9a73479afbceaebbb1d30623049f85d08b6ccf8874e30c440b69b9a0b030d4783bf10ce80b0fc3d19',
    keyBlock:
      'f18fb4c16ad7ec26eb61e9538df8b538b8e7bf62fca6bd203327e3131a5c98990c8bffbaf46ca9fcd6b6e423daef58291243245db75b8723c28a97fdc8151f02d061b0fb92556ac846824c0ca5e8c136885786b5baaf78b17fb5d7b078dc3f50af838031ea3c22e0114f4e40517239851f1306c15e53641fa25754982737a1ad',
  },
  {
    // TLS 1.2, SHA-256, COUNT = 1
    version: '1.2',
    preMaster:
      'c188d42c154276148dcc0ddf1aa13ba990be569ca08135b2ce927c152b30561a4dcc5aade347b5cad02e08cd30bdde69',
    serverHelloRandom: 'fb7a011cbc746bbabf693b2e33ba5ab6279c2e3908d604150bab37039fe840dc',
    clientHelloRandom: '7b7d7bac47db1290d6ec03231a294030514d3f02eb469d46b7e529c3e7816c86',
    serverRandom: 'b49ef5b641e72646d7ea5528bea21b78ebea4ccd943d49bad8d1a86b6f69896a',
    clientRandom: 'b9c0eb646f92402a82927148d409131cc1eefc719fcf9ea0b2f4c018564694b8',
    master:
      '3af2add37f524c397aedf587a2e9fff8e39f08cb14adbf3ea3c154cd791d87ad4b1646b5374174aa4267c44a271e79e4',
    keyBlock:
      'e7409c49a45cb1ecc626fee704d40280e2d6a5382744fa5c294662d95692446d796d4d6b99892cfba1d7283893b98bdbd12e44137cbbc505d346aa8247b68e6c7dda03de44d3052d5894e0a07183a61f7347fa1412e7b44da94ed9e398b4b47948060c29122cb645cef63e5c1feef82ccc45064baaa50d917a089f13f1b5bf00',
  },
]
