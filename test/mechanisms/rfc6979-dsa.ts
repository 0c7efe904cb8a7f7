/** RFC 6979, A.2.1 and A.2.2: DSA keys of 1024 and 2048 bits, and signatures of "sample" and "test". */
import { hex } from './rows.ts'

export interface DsaVectors {
  readonly p: Uint8Array
  readonly q: Uint8Array
  readonly g: Uint8Array
  readonly x: Uint8Array
  readonly y: Uint8Array
  /** r and s by message and hash. */
  readonly signatures: Readonly<Record<'sample' | 'test', Readonly<Record<string, Uint8Array>>>>
}

const joined = (...lines: string[]) => hex(lines.join(''))
export const dsa1024: DsaVectors = {
  p: joined(
    '86f5ca03dcfeb225063ff830a0c769b9dd9d6153ad91d7ce27f787c43278b447e6533b86b18bed6e',
    '8a48b784a14c252c5be0dbf60b86d6385bd2f12fb763ed8873abfd3f5ba2e0a8c0a59082eac05693',
    '5e529daf7c610467899c77adedfc846c881870b7b19b2b58f9be0521a17002e3bdd6b86685ee90b3',
    'd9a1b02b782b1779',
  ),
  q: joined('996f967f6c8e388d9e28d01e205fba957a5698b1'),
  g: joined(
    '07b0f92546150b62514bb771e2a0c0ce387f03bda6c56b505209ff25fd3c133d89bbcd97e904e091',
    '14d9a7defdeadfc9078ea544d2e401aeecc40bb9fbbf78fd87995a10a1c27cb7789b594ba7efb5c4',
    '326a9fe59a070e136db77175464adca417be5dce2f40d10a46a3a3943f26ab7fd9c0398ff8c76ee0',
    'a56826a8a88f1dbd',
  ),
  x: joined('411602cb19a6ccc34494d79d98ef1e7ed5af25f7'),
  y: joined(
    '5df5e01ded31d0297e274e1691c192fe5868fef9e19a84776454b100cf16f65392195a38b90523e2',
    '542ee61871c0440cb87c322fc4b4d2ec5e1e7ec766e1be8d4ce935437dc11c3c8fd426338933ebfe',
    '739cb3465f4d3668c5e473508253b1e682f65cbdc4fae93c2ea212390e54905a86e2223170b44eaa',
    '7da5dd9ffcfb7f3b',
  ),
  signatures: {
    sample: {
      SHA1: joined(
        '2e1a0c2562b2912caaf89186fb0f42001585da55',
        '29efb6b0aff2d7a68eb70ca313022253b9a88df5',
      ),
      SHA224: joined(
        '4bc3b686aea70145856814a6f1bb53346f02101e',
        '410697b92295d994d21edd2f4ada85566f6f94c1',
      ),
      SHA256: joined(
        '81f2f5850be5bc123c43f71a3033e9384611c545',
        '4cdd914b65eb6c66a8aaad27299bee6b035f5e89',
      ),
      SHA384: joined(
        '07f2108557ee0e3921bc1774f1ca9b410b4ce65a',
        '54df70456c86fac10fab47c1949ab83f2c6f7595',
      ),
      SHA512: joined(
        '16c3491f9b8c3fbbdd5e7a7b667057f0d8ee8e1b',
        '02c36a127a7b89edbb72e4ffbc71dabc7d4fc69c',
      ),
    },
    test: {
      SHA1: joined(
        '42ab2052fd43e123f0607f115052a67dcd9c5c77',
        '183916b0230d45b9931491d4c6b0bd2fb4aaf088',
      ),
      SHA224: joined(
        '6868e9964e36c1689f6037f91f28d5f2c30610f2',
        '49cec3acdc83018c5bd2674ecaad35b8cd22940f',
      ),
      SHA256: joined(
        '22518c127299b0f6fdc9872b282b9e70d0790812',
        '6837ec18f150d55de95b5e29be7af5d01e4fe160',
      ),
      SHA384: joined(
        '854cf929b58d73c3cbfdc421e8d5430cd6db5e66',
        '91d0e0f53e22f898d158380676a871a157cda622',
      ),
      SHA512: joined(
        '8ea47e475ba8ac6f2d821da3bd212d11a3deb9a0',
        '7c670c7ad72b6c050c109e1790008097125433e8',
      ),
    },
  },
}

export const dsa2048: DsaVectors = {
  p: joined(
    '9db6fb5951b66bb6fe1e140f1d2ce5502374161fd6538df1648218642f0b5c48c8f7a41aadfa1873',
    '24b87674fa1822b00f1ecf8136943d7c55757264e5a1a44ffe012e9936e00c1d3e9310b01c7d1798',
    '05d3058b2a9f4bb6f9716bfe6117c6b5b3cc4d9be341104ad4a80ad6c94e005f4b993e14f091eb51',
    '743bf33050c38de235567e1b34c3d6a5c0ceaa1a0f368213c3d19843d0b4b09dcb9fc72d39c8de41',
    'f1bf14d4bb4563ca28371621cad3324b6a2d392145bebfac748805236f5ca2fe92b871cd8f9c36d3',
    '292b5509ca8caa77a2adfc7bfd77dda6f71125a7456fea153e433256a2261c6a06ed3693797e7995',
    'fad5aabbcfbe3eda2741e375404ae25b',
  ),
  q: joined('f2c3119374ce76c9356990b465374a17f23f9ed35089bd969f61c6dde9998c1f'),
  g: joined(
    '5c7ff6b06f8f143fe8288433493e4769c4d988ace5be25a0e24809670716c613d7b0cee6932f8faa',
    '7c44d2cb24523da53fbe4f6ec3595892d1aa58c4328a06c46a15662e7eaa703a1decf8bbb2d05dbe',
    '2eb956c142a338661d10461c0d135472085057f3494309ffa73c611f78b32adbb5740c361c9f35be',
    '90997db2014e2ef5aa61782f52abeb8bd6432c4dd097bc5423b285dafb60dc364e8161f4a2a35aca',
    '3a10b1c4d203cc76a470a33afdcbdd92959859abd8b56e1725252d78eac66e71ba9ae3f1dd248719',
    '9874393cd4d832186800654760e1e34c09e4d155179f9ec0dc4473f996bdce6eed1cabed8b6f116f',
    '7ad9cf505df0f998e34ab27514b0ffe7',
  ),
  x: joined('69c7548c21d0dfea6b9a51c9ead4e27c33d3b3f180316e5bcab92c933f0e4dbc'),
  y: joined(
    '667098c654426c78d7f8201eac6c203ef030d43605032c2f1fa937e5237dbd949f34a0a2564fe126',
    'dc8b715c5141802ce0979c8246463c40e6b6bdaa2513fa611728716c2e4fd53bc95b89e69949d965',
    '12e873b9c8f8dfd499cc312882561adecb31f658e934c0c197f2c4d96b05cbad67381e7b768891e4',
    'da3843d24d94cdfb5126e9b8bf21e8358ee0e0a30ef13fd6a664c0dce3731f7fb49a4845a4fd8254',
    '687972a2d382599c9bac4e0ed7998193078913032558134976410b89d2c171d123ac35fd97721959',
    '7aa7d15c1a9a428e59194f75c721ebcbcfae44696a499afa74e04299f132026601638cb87ab79190',
    'd4a0986315da8eec6561c938996beadf',
  ),
  signatures: {
    sample: {
      SHA256: joined(
        'eace8bdbbe353c432a795d9ec556c6d021f7a03f42c36e9bc87e4ac7932cc809',
        '7081e175455f9247b812b74583e9e94f9ea79bd640dc962533b0680793a38d53',
      ),
      SHA512: joined(
        '2016ed092dc5fb669b8efb3d1f31a91eecb199879be0cf78f02ba062cb4c942e',
        'd0c76f84b5f091e141572a639a4fb8c230807eea7d55c8a154a224400aff2351',
      ),
    },
    test: {
      SHA1: joined(
        'c18270a93cfc6063f57a4dfa86024f700d980e4cf4e2cb65a504397273d98ea0',
        '414f22e5f31a8b6d33295c7539c1c1ba3a6160d7d68d50ac0d3a5beac2884faa',
      ),
      SHA256: joined(
        '8190012a1969f9957d56fccaad223186f423398d58ef5b3cefd5a4146a4476f0',
        '7452a53f7075d417b4b013b278d1bb8bbd21863f5e7b1cee679cf2188e1ab19e',
      ),
    },
  },
}
