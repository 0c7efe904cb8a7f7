/**
 * Known answers of NIST's CAVP for the derivations of SP 800-108: of counter mode (KDFCTR_gen, CAVS
 * 14.4) one for each PRF and place of the counter, of the others some.
 */
export interface CounterCase {
  readonly prf: string
  /** Bits of the counter. */
  readonly bits: number
  readonly key: string
  /** Data before and behind the counter. */
  readonly before: string
  readonly behind: string
  readonly made: string
}

export const counterCases: readonly CounterCase[] = [
  {
    // BEFORE_FIXED, RLEN=8_BITS, COUNT=0
    prf: 'CMAC_AES128',
    bits: 8,
    key: 'dff1e50ac0b69dc40f1051d46c2b069c',
    before: '',
    behind:
      'c16e6e02c5a3dcc8d78b9ac1306877761310455b4e41469951d9e6c2245a064b33fd8c3b01203a7824485bf0a64060c4648b707d2607935699316ea5',
    made: '8be8f0869b3c0ba97b71863d1b9f7813',
  },
  {
    // MIDDLE_FIXED, RLEN=16_BITS, COUNT=30
    prf: 'CMAC_AES128',
    bits: 16,
    key: 'c5b7a4d3bb56e2276b67c4de7f7789f8',
    before:
      '083c54c1382a3999139bf804d3cd4fefd84aea4e948f3550071e943c28064386923a815b728bf1c2b95b1f9fbd9d81cfff74',
    behind: '95d9a0feb49a303a6881',
    made: '05e93f65e4f9fba3a3a7340bc9504241c509604a6cb530f5ea8c1cebdc7a3dacd7393adb7e2b47e3',
  },
  {
    // AFTER_FIXED, RLEN=24_BITS, COUNT=30
    prf: 'CMAC_AES128',
    bits: 24,
    key: '74304047fe55fe0b2d089cbf8f021af7',
    before:
      '631703467f6837e7ebbb177ca79a1c13f24995d08f2ef60c3b8b19a09068808bf216f0e92158f5cac97c68d78d7ac0492ed2b71b50d0b8e30a238986',
    behind: '',
    made: 'fcdbb62005b53c662a99b2784a07f73d02a00eec609dd36056753549395d3d3f8575ea623c9e4c94',
  },
  {
    // BEFORE_FIXED, RLEN=16_BITS, COUNT=0
    prf: 'CMAC_AES192',
    bits: 16,
    key: 'd7e8eefc503a39e70d931f16645958ad06fb789f0cbc518b',
    before: '',
    behind:
      'b10ea2d67904a8b3b7ce5eef7d9ee49768e8deb3506ee74a2ad8dd8661146fde74137a8f6dfc69a370945d15335e0d6403fa029da19d34140c7e3da0',
    made: '95278b8883852f6676c587507b0aa162',
  },
  {
    // MIDDLE_FIXED, RLEN=24_BITS, COUNT=30
    prf: 'CMAC_AES192',
    bits: 24,
    key: 'c969540e10617baa73c5cfa2b7b01575b937e3b35d6f07d6',
    before:
      '8573c15dbca6ce3e525965fd88fda35020c8898fe51bff90386354d29079d957deae11bebc6174ca11eb6844c6e737b09ab1',
    behind: '2d09132107eef0735bb2',
    made: 'e9dd364a47c2f2654c4099aff21146b7f84f9d354ab98e5f49b5c5c5f70d1662efab92887bb33d5f',
  },
  {
    // AFTER_FIXED, RLEN=32_BITS, COUNT=30
    prf: 'CMAC_AES192',
    bits: 32,
    key: 'ed5985451d37c348bebcdb0b8cc36cd04ab9446abecc48f2',
    before:
      'd2e8645219dfe12696cfb92097b37d3346bd105946af9092fbfd9c6c605fcbf3c843aa724d1051ea5e18ee2bfb3062bb3bd1d0aa1ae954866dadf03e',
    behind: '',
    made: '56ccb326cbcd005f9e93674e26399822b9591ea7f51ff72a6805f5752d76e947dc2d377e24c21f7a',
  },
  {
    // BEFORE_FIXED, RLEN=24_BITS, COUNT=0
    prf: 'CMAC_AES256',
    bits: 24,
    key: '1612a40daa7fce6c6788b3b71311188ffb850613fd81d0e87a891831348e2f28',
    before: '',
    behind:
      '1696438fcdf9a85284759b2604b64d7ea76199514709e711ecde5a505b5f27ae38d154aba14322481ddc9fd9169364b991460a0c9a05c7fcb2d099c9',
    made: 'd101f4f2b5e239bae881cb488995bd52',
  },
  {
    // MIDDLE_FIXED, RLEN=32_BITS, COUNT=30
    prf: 'CMAC_AES256',
    bits: 32,
    key: '8f320cadb47c4a59dbe20772588df66d20d27b38dbd8fd8fe222d3530ae84bd8',
    before:
      'bbbc024381bb35cbbf0b0cba421d6fa7f7a19d0735558ae5666bde237119bfb37a1e0428a41940fc59b9f6e29aea3fb397ed',
    behind: 'fff857314c5893b4dee0',
    made: 'f1b67b40eaf90b3cd6f9894362b4b6e02ec125c3213cf3876d060673dd5f891da995b48de25708ac',
  },
  {
    // AFTER_FIXED, RLEN=8_BITS, COUNT=30
    prf: 'CMAC_AES256',
    bits: 8,
    key: '91cc6500cd003d3da35014958bde0bf660c18edc6b905fa5df932d91939653e3',
    before:
      '6a7a51e74597e60f97d98a0a317a08a45ac4eb8143dc1d0ca9c73de1e716234b745a438162bd13069930188ec9fd6a6fe4a2c7737478a09d74ea23c2',
    behind: '',
    made: 'fb3db58620a605d3c3bdcd10762744edc0e25eb4100efdd39afefd5796a530b291509a87f31721d4',
  },
  {
    // BEFORE_FIXED, RLEN=32_BITS, COUNT=0
    prf: 'CMAC_TDES2',
    bits: 32,
    key: '0cd1600ab3357416515adf83c39916e9',
    before: '',
    behind:
      '163b94f161d9219a151c13ec74391a7d10183a78ddcf09805e2d637a5a658c2491c2a81e3c208bf46827565a10ac81caa5cbffebb76d23c7fd4261d0',
    made: 'ad197bd9913694c5a5f1230cf8720955',
  },
  {
    // MIDDLE_FIXED, RLEN=8_BITS, COUNT=30
    prf: 'CMAC_TDES2',
    bits: 8,
    key: 'dacf82054e5c584b2a82c7fce302a9c3',
    before:
      '80ecf7cdb54716078a461aa614afc940f8284f63ee68b0a4fae43e51dd1365b4f73bb19fc7754f4322f3d23d3354d89adebd',
    behind: 'e62d495ee71a448748b6',
    made: '65dcc8d69742c6564c983934ca434cf148b9867f22cc31a6af61a0a8f37e7618b36f9cebe5e33fc0',
  },
  {
    // AFTER_FIXED, RLEN=16_BITS, COUNT=30
    prf: 'CMAC_TDES2',
    bits: 16,
    key: '13888c5844c5b08d2d70e71ceb744b0b',
    before:
      'd67aa0b215df248053e1b4a0278092dd5413209b3428b5ce06e28c671bbd6f8c36d77765c197c1ead6a914a3e41bd218ae9b22552909f051a93f9a1d',
    behind: '',
    made: 'd9045ad44050850504cfbfe7e63b27c818b1698d686749e02f7f0f95e43f2a6afa7e2a25fe844f19',
  },
  {
    // BEFORE_FIXED, RLEN=8_BITS, COUNT=0
    prf: 'CMAC_TDES3',
    bits: 8,
    key: '89b3469ce73b4fef33244de2cb772bc239a4261a45993b3b',
    before: '',
    behind:
      'f1aec104bc3b1735e28f90a6d3aa7cd319841303989bc4a2a0da886c5c5764d0bd7c12d94723133f664a109d289d0f2971cbfec4da2f3b5cbfbc47f2',
    made: 'af52a719396e6eecc4cb323994113f42',
  },
  {
    // MIDDLE_FIXED, RLEN=16_BITS, COUNT=30
    prf: 'CMAC_TDES3',
    bits: 16,
    key: 'ee19b573c9a024241306ea70d22bc83bc48a13078f1992e3',
    before:
      'f5be00cbeaa03e0a99862818405c431ca76af0a0d69af9967177a80d218d52fbd1caffae28a56c097d496da46017e46280c3',
    behind: '96dcad789036e1e64ed5',
    made: '9d056fc88926483299032066da7bd28fa49e306dd8ee4b198c609184094ab2ccab51742f7741d434',
  },
  {
    // AFTER_FIXED, RLEN=24_BITS, COUNT=30
    prf: 'CMAC_TDES3',
    bits: 24,
    key: 'a0e6893bd5433538fa1d7e3e4994d4c81590e46d9067aa60',
    before:
      '7e1ca55fd484e6396db7c39728a67ce736db10b4ef0b6e99a586f13e93800e69e677a251f7fbbe718fbb80274f167a5db6269a8ef968c4c941d00eb9',
    behind: '',
    made: '507cfc7b6edd5f1cf6d91793cd37562aa7c3ab8a8bc277d690eb69e3b01edad8c3ed3a8d72ba664c',
  },
  {
    // BEFORE_FIXED, RLEN=16_BITS, COUNT=0
    prf: 'HMAC_SHA1',
    bits: 16,
    key: 'a510fe5ad1640d345a6dbba65d629c2a2fedd1ae',
    before: '',
    behind:
      '9953de43418a85aa8db2278a1e380e83fb1e47744d902e8f0d1b3053f185bbcc734d12f219576e75477d7f7b799b7afed1a4847730be8fd2ef3f342e',
    made: 'c00707a18c57acdb84f17ef05a322da2',
  },
  {
    // MIDDLE_FIXED, RLEN=24_BITS, COUNT=30
    prf: 'HMAC_SHA1',
    bits: 24,
    key: 'c4c58ccd18c35acdddbf08d659eda1c0838d7ffc',
    before:
      '80996f0739d9efe9f05d0a30c26618bebdef619767fc9a8bc9aad135458b392e4fa04742545c7f5a2e428aec738e7810b281',
    behind: 'a243211feec9c7bb567e',
    made: 'cf745937e3850a7dbbefffe25603723d4eeeff1c5f17bfaebce1f120a9fe17f401af0e341f5db7ad',
  },
  {
    // AFTER_FIXED, RLEN=32_BITS, COUNT=30
    prf: 'HMAC_SHA1',
    bits: 32,
    key: '5b519f4a2ebdd32a8bcf38e3bc3dc29fe130abec',
    before:
      '64de022529eedc8f4907ed48e5cc92d01cb27c1db3aad9bc82a8542ce53c59e84771ce0cb87ef9c04799659b8645f98715e24a919c05976205b7c4e0',
    behind: '',
    made: '18de9e9fd46bcbfbe002b903b5e017bebe46607ca740419443683a8cdd2f48b6e038a988585f598b',
  },
  {
    // BEFORE_FIXED, RLEN=24_BITS, COUNT=0
    prf: 'HMAC_SHA224',
    bits: 24,
    key: 'f09e65e8de7500847b43bd95e6c3506e01aadd484e9699b027897542',
    before: '',
    behind:
      'c20f6188517b2ca10086b9f7f8d6f2d38d66f24193c037008d035f361c6bd74db26aef588a87aa8a1c3cdad2ba0207f7e7b39def0df797c4cb3bf614',
    made: '73d30c2af54744eb1efb70429f8e303a',
  },
  {
    // MIDDLE_FIXED, RLEN=32_BITS, COUNT=30
    prf: 'HMAC_SHA224',
    bits: 32,
    key: '9028823ba03305375dc363b9ed55f59fab30e673c00dd7cd4abb9f77',
    before:
      'a5c2a62124c0db53de4da7ca8c6820af7327ac42fb148c0df661d06b514fab61290d52e029230bb49e6e056cb1bf9c82994a',
    behind: '83ed76f558f4e1764af1',
    made: '52b28309aa8b9756b686c4ce2379c9a521fc031130f6bc55cd7688402ef546f7a727195dfcfd9f80',
  },
  {
    // AFTER_FIXED, RLEN=8_BITS, COUNT=30
    prf: 'HMAC_SHA224',
    bits: 8,
    key: '4d4559dc64dc251e0babe29157c0491b9f12a44caad1b495bbf4def0',
    before:
      '7db328f689c88889f1c05598cf2d3d5e4ad37c4c734ecbe8586a8e87b9f0981ce1802407e5445b26a4ab1febf7b2d60a25b71b630dc27a64b10245aa',
    behind: '',
    made: '4063041d2a0f896f202ec4beac5b5a4f3e9f828f24cb816f98b2a7f003be2ec431d46c9ac046d5a5',
  },
  {
    // BEFORE_FIXED, RLEN=32_BITS, COUNT=0
    prf: 'HMAC_SHA256',
    bits: 32,
    key: 'dd1d91b7d90b2bd3138533ce92b272fbf8a369316aefe242e659cc0ae238afe0',
    before: '',
    behind:
      '01322b96b30acd197979444e468e1c5c6859bf1b1cf951b7e725303e237e46b864a145fab25e517b08f8683d0315bb2911d80a0e8aba17f3b413faac',
    made: '10621342bfb0fd40046c0e29f2cfdbf0',
  },
  {
    // MIDDLE_FIXED, RLEN=8_BITS, COUNT=30
    prf: 'HMAC_SHA256',
    bits: 8,
    key: '9cc822cbd7b12cf51014090c6461d5ba95cc71fd2880eab667eba37b23505427',
    before:
      'fe757ed3a0dae0d6bb90affbdd7175396b07099a8310730f667ea639ed5952e720bb12e70adc0575e7e0c7380f2900aec470',
    behind: '386eac1db97618fe0ccc',
    made: '90747ad9ae48ba62a002c097c0aada0605fd01bb9bb1604a31d83775b79d0af001d5990cad523fc6',
  },
  {
    // AFTER_FIXED, RLEN=16_BITS, COUNT=30
    prf: 'HMAC_SHA256',
    bits: 16,
    key: '357e401a680c447f2fb0e25171d8784d25ce9a4400bbfe04710526e98c69d347',
    before:
      '32d6f66942c9a7cb28be7a58edd6e7e59850cf813014735284c276f39f4cbdea20ecfc8fd4fdc1abe3f7df78dddadf33f5e822ab771b29d2d5d2d384',
    behind: '',
    made: 'cc877a51b8bf6dca6c622822706732eb82cc4d666865f65cb797df896a3aae7d532f67670bead853',
  },
  {
    // BEFORE_FIXED, RLEN=8_BITS, COUNT=0
    prf: 'HMAC_SHA384',
    bits: 8,
    key: '0be1999848a7a14a555649048fcadf2f644304d163190dc9b23a21b80e3c8c373515d6267d9c5cfd31b560ffd6a2cd5c',
    before: '',
    behind:
      '11340cfbdb40f20f84cac4b8455bdd76c730adcecd0484af9011bacd46e22ff2d87755dfb4d5ba7217c37cb83259bdbe0983cc716adc2e6c826ed53c',
    made: 'c2ea7454de25afb27065f4676a392385',
  },
  {
    // MIDDLE_FIXED, RLEN=16_BITS, COUNT=30
    prf: 'HMAC_SHA384',
    bits: 16,
    key: '5a997f71172493ff0885b26d718a72631a05897f73773fddd9fd5fc66812b0ca91fe09d8ec8b9e98ca6bed5eace84676',
    before:
      'f49eb536da2e8cae5148d4e2abb1cc199ba57eeecfd6caf823785db6dc8a4fe315f2813ab25ba3017fbe44d33d743705818f',
    behind: 'a0994fb7a2c846b12623',
    made: '607afc4cf67b658673fcc9c2912802e44070b525c7f63218b461e56f414d4c88afa8a03374d1e7c1',
  },
  {
    // AFTER_FIXED, RLEN=24_BITS, COUNT=30
    prf: 'HMAC_SHA384',
    bits: 24,
    key: 'a4acd4f9473b86f68694a50710d7553de90488d0ee770edd410256f2bce269fb4b1fdc474c3157321a853121f46b901a',
    before:
      '4364521c6c6ff493aa1dfdf05d5d52cac6fd850cb04f513d49a7b3158f9e67648e6dee7b691087d0e8dc7d5bd41d0f8f1ec7817f6c203915543f4bfa',
    behind: '',
    made: '02894bad6e98273cf37dfec4c406db4479df8c685f31afa678d95eeac712aa4cb4ce05c57d2676be',
  },
  {
    // BEFORE_FIXED, RLEN=16_BITS, COUNT=0
    prf: 'HMAC_SHA512',
    bits: 16,
    key: 'bb0c55c7201ceb2e1369a6c49e2cdc1ae5e4cd1d64638105072c3a9172b2fa6a127c4d6d55132585fb2644b5ae3cf9d347875e0d0bf80945eaabef3b4319605e',
    before: '',
    behind:
      '89bf925033f00635c100e2c88a98ad9f08cd6a002b934617d4ebfffc0fe9bca1d19bd942da3704da127c7493cc62c67f507c415e4cb67d7d0be70005',
    made: '05efd62522beb9bfff6492ecd24501a7',
  },
  {
    // MIDDLE_FIXED, RLEN=24_BITS, COUNT=30
    prf: 'HMAC_SHA512',
    bits: 24,
    key: 'e4911b2b026ba170eb9fb1be8121ece0f9660b65da0c2d74a1e462d6c0a8bcbd967887d4332f775a1047bee1271838fa0b5dc655fef6f120e87a7f153dee8c45',
    before:
      '2c4288ab691e8dc4cee66a270a012cb00d37d0c6c02c6a1bb58f325465dab81c28b49dedeecd0b70a626dfe6f9d39859ecde',
    behind: 'b54276b101a98fb97c6b',
    made: 'f95bb59b14adb1673fed25357887967b6e75033413bf372b2c788c8a7a9808b0a7c41dd129793695',
  },
  {
    // AFTER_FIXED, RLEN=32_BITS, COUNT=30
    prf: 'HMAC_SHA512',
    bits: 32,
    key: 'ae9d3aa0d51b95d4fad20d526a37aaee74339a7f933f3a6375ad6e69fdd2e59e6b2daa9dd3159d0d3b384ced1b0844c0c5ac8c24e4b6334b5c6903d5710c8ee7',
    before:
      'b2cb715fff568c4273f478caf066f90050fd105cfc8987436af7ecf8626dad3cee46da91701f716a81cf012767b54c4e6469efc76638dd7d2a0eff99',
    behind: '',
    made: '419b90d1bd793e5e5432cbd0c39377d553ac82e48790cdfad72f2e4fc490ca13fe05fde9ddc08be3',
  },
]

export interface OtherCase {
  readonly mode: 'feedback' | 'double pipeline'
  readonly prf: string
  /** Bits of the counter behind the iteration variable; 0 where there is none. */
  readonly bits: number
  readonly key: string
  readonly iv?: string
  readonly data: string
  readonly made: string
}

/** KDFFeedback_gen and KDFDblPipeline_gen. */
export const otherCases: readonly OtherCase[] = [
  {
    mode: 'feedback',
    prf: 'CMAC_AES128',
    bits: 16,
    key: 'd7f5fa7551645de0b36aecd46565f954',
    data: 'fb5294ed40a0e4aa70a7be13913070a4c5cfc05f89b9f7dd26a493b8c63889c7c3b0b60dd6d598ffa296a426224c727a501946',
    made: '7164471f559812581a53aaf7fb6d6c53a1293115cda873887efcc7ce6b3a026b2d19f0d38db8590e218a2676df88f53cab3313ed63bd1e4828f3c066ea5eb1fd',
  },
  {
    mode: 'feedback',
    prf: 'CMAC_AES128',
    bits: 0,
    key: '5c996c922f65de97d4408373229814c6',
    iv: '28dc945cb8337ab5336c3e9b5bad21c7',
    data: '62afe5fed91e797221a854336b0aadd8a05ad0e3c8345729897b2efcec5a1178a2fa4c063007b67a7015e0d6b7271ea8d86b44',
    made: '88a9aae193abdd3fe8143bab66014ae41dc2d12ea9d08f5871588fc5d827924eb9942989d7a36d4b3b107997566472cad5942bd13cb5cff32b9dae30f1bb6300',
  },
  {
    mode: 'feedback',
    prf: 'CMAC_TDES2',
    bits: 0,
    key: '1cc91ac93ce93215c74ca11cb900fcb3',
    iv: '9e24eef3fe79719f',
    data: '28400c621bc2f7ae04de8ab279009803885e7966b2391e7a2cf28ca458f83f48882135066d31f701fb46937cf867dabbfa1bac',
    made: '3f46494db77b4497075e0abea59b15c4d97b5055e48eaf1db3c8601205bace9a6053c20867f6756ad0e2fc5c81c69f0427ef66ceb1d1d18f4f2678e10cb93913',
  },
  {
    mode: 'feedback',
    prf: 'HMAC_SHA512',
    bits: 0,
    key: '91cce7832e1caf170f6961b6b65805c4cb487f719819a2343149040cf9d88d09d112db117c97dea0e15d7c0fa03727082c0909f420a10b9b082958ecb9ad3d21',
    data: '1a20ea91b6104c8d36b0353d7a2880c1e167b572857b78204e9206cb6ea06cace3555e87442debbc780f94f223c22a5819568a',
    made: '819fe4adc7d6e06ec9700e4ba19291b9b2dd7c76b6ee85f3eec5f2bc5928311596a4a316875555a0ec467636122b3629d2f5ca092dbf620423c5650fc1a18a8b2cb1ffc8a1845751a5329a0d1a2a22119a1e129bb5c86d4c92cd6a189513ea8ea615b64e94fddfe2c79b3c50884454c7153103aba3af59cbb3ab35719e3291bb296bdce9d0a7d3f8a1c08cf68e5b74f556f3a389d89b5a55142b023bb0bde0899d3ed55f710a1bc0bc934aa736280fcdc90408417129fb0c57413b955ea8d919d59b3566a00edf54ff9d825c24d18f2fc6622ae0273982394953e45912f0967d6a398c446d8d9af7dd4048683ffd3415c318efe2a7f21a975cda34f84940c7c4995a',
  },
  {
    mode: 'double pipeline',
    prf: 'CMAC_AES128',
    bits: 8,
    key: '08a5a251b8e4826fbf73292f4cd6c790',
    data: 'aa5acbce73a98d4c4f361d5c22a2cc6f6bdc30027aa31af1ba8b15a5bd5b6a34d133519ad1a82483c2d2a6dd9a97273a780421',
    made: 'ff1c72ec38b8968a1ce0942a571a1f522ddd2a1c6ffc2b60c90bb54a5c0e9de40d289686cbff127b408ec64ef615b18c1abc0736ae4c94e33e54d832e686276e',
  },
  {
    mode: 'double pipeline',
    prf: 'CMAC_AES256',
    bits: 32,
    key: '2451975a33ab0c7535e00abe7b57982335b0471ad857a093c6765e6c58443852',
    data: 'fb95eb3c47dcad3b783b045b29bcb6f5aefc0389735843b92b4d8fab97d61350b76b2a83442d7c5aa497aa1cf441760281a08b',
    made: '2f157687f782c8b64325826e3c755194c70abffd9d78c4678924b9d73dcced86dcaf7dfa3bf56cf03fa45c7fca05ca1092c41bbd934131e95db2b204241a9d02',
  },
  {
    mode: 'double pipeline',
    prf: 'CMAC_AES128',
    bits: 0,
    key: 'ada2452f1f141a82c7a1b7d3e09ffed1',
    data: '335660eb265d2044efa06eacd848d3f9f57d219011343318f3a964df4a6fb1bf6cbdee711c7fcbe73b8f257f992e47e8b065af',
    made: 'a73bd29176e38e761222ae07d639181f4b2c555a3b261815cde5d88a67c8b95c58b6b66ea4f10608c6d799b051519fc8e89de00cdc556350a7d966475086f9af',
  },
]
