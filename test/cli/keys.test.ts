import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Environment, Program, servicesOf } from '../service.ts'
import { shellHome, transcript } from './transcript.ts'

const PINS = { SOFTOKI_SO_PIN: '12345678', SOFTOKI_PIN: '1234' }

test('softoki generate makes keys of each type, and softoki objects lists them', async (t) => {
  await transcript(
    shellHome(t, PINS),
    `
$ softoki init --label ca >/dev/null

$ softoki generate --token ca --type rsa:2048 --label root --id 01
CLASS        HANDLE  ID  LABEL
public key   1       01  root
private key  2       01  root

$ softoki generate --token ca --type ec:P-384 --id 02 --usage sign,derive --json
[
  {
    "class": "public key",
    "handle": 1,
    "id": "02",
    "label": ""
  },
  {
    "class": "private key",
    "handle": 2,
    "id": "02",
    "label": ""
  }
]

$ softoki generate --token ca --type aes:256 --label backup
CLASS       HANDLE  ID                LABEL
secret key  1       <sixteen digits>  backup

$ softoki generate --token ca --type generic:160 --label mac --id 04
CLASS       HANDLE  ID  LABEL
secret key  1       04  mac

$ softoki objects --token ca
CLASS        TYPE            LABEL   ID                SIZE       USAGE                        ACCESS
public key   RSA             root    01                2048 bits  encrypt verify               public, token
public key   EC                      02                P-384      verify                       public, token
private key  RSA             root    01                2048 bits  decrypt sign                 private, token
private key  EC                      02                P-384      sign derive                  private, token
secret key   AES             backup  <sixteen digits>  256 bits   encrypt decrypt wrap unwrap  private, token
secret key   GENERIC_SECRET  mac     04                160 bits   sign verify derive           private, token

$ SOFTOKI_PIN= softoki objects --token ca
CLASS       TYPE  LABEL  ID  SIZE       USAGE           ACCESS
public key  RSA   root   01  2048 bits  encrypt verify  public, token
public key  EC           02  P-384      verify          public, token
! softoki: public objects only: --pin-file FILE or SOFTOKI_PIN shows the private ones too

$ softoki objects --token ca --json | head -n 14
[
  {
    "class": "public key",
    "type": "RSA",
    "label": "root",
    "id": "01",
    "size": "2048 bits",
    "usage": [
      "encrypt",
      "verify"
    ],
    "private": false,
    "token": true
  },
`,
  )
})

test('softoki generate makes keys for EdDSA, X25519 and X448, and on many curves', async (t) => {
  await transcript(
    shellHome(t, PINS),
    `
$ softoki init --label ca >/dev/null

$ softoki generate --token ca --type ed25519 --label signing --id 01 >/dev/null

$ softoki generate --token ca --type x448 --label agreeing --id 02 >/dev/null

$ softoki generate --token ca --type ec:secp256k1 --label koblitz --id 03 >/dev/null

$ softoki objects --token ca
CLASS        TYPE           LABEL     ID  SIZE       USAGE   ACCESS
public key   EC_EDWARDS     signing   01  Ed25519    verify  public, token
public key   EC_MONTGOMERY  agreeing  02  X448               public, token
public key   EC             koblitz   03  secp256k1  verify  public, token
private key  EC_EDWARDS     signing   01  Ed25519    sign    private, token
private key  EC_MONTGOMERY  agreeing  02  X448       derive  private, token
private key  EC             koblitz   03  secp256k1  sign    private, token

$ softoki generate --token ca --type ed25519:32
! softoki: ed25519 has no sizes: write --type ed25519
[2]
`,
  )
})

test('softoki generate makes Diffie-Hellman keys in the well-known groups', async (t) => {
  await transcript(
    shellHome(t, PINS),
    `
$ softoki init --label ca >/dev/null

$ softoki generate --token ca --type dh:ffdhe2048 --label one --id 01 >/dev/null

$ softoki generate --token ca --type dh:modp3072 --label other --id 02 >/dev/null

$ softoki objects --token ca
CLASS        TYPE  LABEL  ID  SIZE       USAGE   ACCESS
public key   DH    one    01  2048 bits          public, token
public key   DH    other  02  3072 bits          public, token
private key  DH    one    01  2048 bits  derive  private, token
private key  DH    other  02  3072 bits  derive  private, token

$ softoki generate --token ca --type dh:2048
! softoki: no size "2048" for dh: --type dh:SIZE takes a group: ffdhe or modp with 2048, 3072, 4096, 6144 or 8192, such as dh:ffdhe3072
[2]
`,
  )
})

test('softoki generate makes keys for ciphers', async (t) => {
  await transcript(
    shellHome(t, PINS),
    `
$ softoki init --label ca >/dev/null

$ softoki generate --token ca --type aes-xts:512 --label disk --id 01 >/dev/null

$ softoki generate --token ca --type camellia:192 --label flower --id 02 >/dev/null

$ softoki generate --token ca --type des3 --label old --id 03 >/dev/null

$ softoki generate --token ca --type chacha20 --label stream --id 04 >/dev/null

$ softoki objects --token ca
CLASS       TYPE      LABEL   ID  SIZE      USAGE                        ACCESS
secret key  AES_XTS   disk    01  512 bits  encrypt decrypt wrap unwrap  private, token
secret key  CAMELLIA  flower  02  192 bits  encrypt decrypt wrap unwrap  private, token
secret key  DES3      old     03            encrypt decrypt wrap unwrap  private, token
secret key  CHACHA20  stream  04  256 bits  encrypt decrypt wrap unwrap  private, token
`,
  )
})

test('a mistake in what to generate is answered with the next step', async (t) => {
  await transcript(
    shellHome(t, PINS),
    `
$ softoki generate --token ca --type aes:128
! softoki: no token named "ca": softoki init --label ca makes one
[1]

$ softoki generate --slot 0 --type aes:128
! softoki: the token in slot 0 is not initialised: softoki init --slot 0 --label LABEL does it
[1]

$ softoki generate --type aes:128
! softoki: which token? --token LABEL names it, softoki tokens lists them
[2]

$ softoki generate --token ca --type aes:100
! softoki: no size "100" for aes: --type aes:SIZE takes bits: 128, 192, 256
[2]

$ softoki generate --token ca --type dsa:2048
! softoki: no key type "dsa": --type takes rsa, ec, dh, ed25519, ed448, x25519, x448, ml-dsa, slh-dsa, ml-kem, aes, aes-xts, camellia, aria, seed, des3, chacha20, generic
[2]

$ softoki generate --token ca --type aes:128 --usage sing
! softoki: no use "sing": --usage takes sign, decrypt, unwrap, derive, decapsulate, with commas between
[2]

$ softoki generate --token ca --type aes:128 --id 123
! softoki: "123" is not hexadecimal: two digits a byte, such as 01af
[2]

$ softoki generate --slot one --type aes:128
! softoki: "one" is no slot number: softoki tokens lists the slots
[2]

$ softoki init --label ca >/dev/null; softoki generate --token ca --type rsa:512
! softoki: CKR_ATTRIBUTE_VALUE_INVALID: the token makes no such object: softoki mechanisms lists the key sizes it takes
[1]

$ softoki generate --token ca --type aes:128 --pin 4321
! softoki: CKR_PIN_INCORRECT: the PIN is wrong: try again, softoki tokens tells when one try is left
[1]
`,
  )
})

const GENERATING = 'softoki: generating rsa:16384: '

/** Begins to generate a key pair that takes half a minute, on a terminal of its own. */
const generateLarge = (environment: Environment) =>
  new Program('script', ['-qefc', 'softoki generate --token ca --type rsa:16384', '/dev/null'], {
    ...environment,
    TERM: 'xterm',
  })

test('Ctrl-C while a key pair is generated ends with status 130 and leaves no object behind', async (t) => {
  const environment = shellHome(t, PINS)
  await transcript(environment, '$ softoki init --label ca >/dev/null')
  const program = generateLarge(environment)
  await program.printed(GENERATING)
  program.write('\x03')
  const { status, stdout } = await program.end()
  assert.equal(status, 130, stdout)
  assert.match(stdout, /softoki: cancelled: nothing was created\r?\n$/)
  await transcript(environment, '$ softoki objects --token ca\n! softoki: no objects')
})

test('a terminal shows the time that a generation takes, and what the same took before', async (t) => {
  const environment = shellHome(t, { ...PINS, SOFTOKI_SURRENDER_MS: '1' })
  const generate = 'softoki generate --token ca --type rsa:2048'
  await transcript(environment, '$ softoki init --label ca >/dev/null')
  await transcript(environment, `$ ${generate} >/dev/null`)
  const program = new Program('script', ['-qefc', generate, '/dev/null'], {
    ...environment,
    TERM: 'xterm',
  })
  const { stdout } = await program.end()
  assert.match(stdout, /generating rsa:2048: \d+\.\d s, usually about \d+\.\d s, Ctrl-C cancels\r/)
})

test('a second Ctrl-C ends the program without an answer of the service, which leaves no object behind', async (t) => {
  const environment = shellHome(t, PINS)
  await transcript(environment, '$ softoki init --label ca >/dev/null')
  const [service] = servicesOf(environment.SOFTOKI_HOME) as [number]
  const program = generateLarge(environment)
  await program.printed(GENERATING)
  process.kill(service, 'SIGSTOP')
  try {
    program.write('\x03')
    // One that comes sooner counts as the same.
    await sleep(700)
    program.write('\x03')
    const { status, stdout } = await program.end()
    assert.equal(status, 130, stdout)
    assert.match(
      stdout,
      /softoki: left without waiting: the service stops the work by itself\r?\n$/,
    )
  } finally {
    process.kill(service, 'SIGCONT')
  }
  await transcript(environment, '$ softoki objects --token ca\n! softoki: no objects')
})

test('without a terminal generating shows no progress', async (t) => {
  const environment = shellHome(t, { ...PINS, SOFTOKI_SURRENDER_MS: '0' })
  await transcript(
    environment,
    `
$ softoki init --label ca >/dev/null

$ softoki generate --token ca --type rsa:2048 --id 01
CLASS        HANDLE  ID  LABEL
public key   1       01
private key  2       01
`,
  )
})

test('softoki mechanisms lists names, numbers, key sizes and functions', async (t) => {
  await transcript(
    shellHome(t),
    `
$ softoki mechanisms | grep -E '^(MECH|CKM_AES_KEY_GEN|CKM_EC_KEY_PAIR_GEN |CKM_SHA256 )' | tr -s ' '
MECHANISM NUMBER KEY SIZES FUNCTIONS
CKM_EC_KEY_PAIR_GEN 0x1040 112 to 571 generate-key-pair
CKM_AES_KEY_GEN 0x1080 16 to 32 generate
CKM_SHA256 0x0250 digest

$ softoki mechanisms --slot 0
! softoki: the token in slot 0 is not initialised: softoki init --slot 0 --label LABEL does it
[1]
`,
  )
})
