import { test } from 'node:test'
import { shellHome, transcript } from './transcript.ts'

test('softoki init makes a token in the free slot, and another slot is free then', async (t) => {
  await transcript(
    shellHome(t),
    `
$ softoki tokens
SLOT  LABEL  SERIAL            STATE
0            <sixteen digits>  free

$ softoki init --label ca --so-pin 12345678 --pin 1234
slot    0
label   ca
serial  <sixteen digits>

$ softoki init --label 'the other' --so-pin 12345678 --pin 1234 --json
{
  "slot": 1,
  "label": "the other",
  "serial": "<sixteen digits>"
}

$ softoki tokens
SLOT  LABEL      SERIAL            STATE
0     ca         <sixteen digits>  initialised, user PIN set
1     the other  <sixteen digits>  initialised, user PIN set
2                <sixteen digits>  free

$ softoki tokens --json | head -n 11
[
  {
    "slot": 0,
    "label": "ca",
    "serial": "<sixteen digits>",
    "initialised": true,
    "userPinSet": true,
    "userPinLastTry": false,
    "userPinLocked": false,
    "soPinLocked": false
  },
`,
  )
})

test('a second token with the same label is made only with --force, and then --slot tells them apart', async (t) => {
  await transcript(
    shellHome(t, { SOFTOKI_SO_PIN: '12345678', SOFTOKI_PIN: '1234' }),
    `
$ softoki init --label ca >/dev/null

$ softoki init --label ca
! softoki: slot 0 holds a token named "ca" already: choose another --label, or --force makes a second one
[1]

$ softoki init --label ca --force
slot    1
label   ca
serial  <sixteen digits>

$ softoki objects --token ca
! softoki: more than one token is named "ca", in slots 0, 1: --slot picks one of them
[1]

$ softoki objects --slot 1
! softoki: no objects
`,
  )
})

test('a token is made anew only with --erase and the right SO PIN', async (t) => {
  await transcript(
    shellHome(t, { SOFTOKI_SO_PIN: '12345678', SOFTOKI_PIN: '1234' }),
    `
$ softoki init --label ca >/dev/null && softoki generate --token ca --type aes:128 >/dev/null

$ softoki init --slot 0 --label root
! softoki: slot 0 holds the token "ca": --erase destroys it with all its objects
[1]

$ softoki init --slot 0 --label root --erase --so-pin 87654321
! softoki: CKR_PIN_INCORRECT: the PIN is wrong: try again, softoki tokens tells when one try is left
[1]

$ softoki init --slot 0 --label root --erase
slot    0
label   root
serial  <sixteen digits>

$ softoki objects --token root
! softoki: no objects

$ softoki init --slot 7 --label ca
! softoki: there is no slot 7: softoki tokens lists the slots
[1]
`,
  )
})

test('wrong PINs lock the user PIN, and softoki tokens tells so', async (t) => {
  await transcript(
    shellHome(t),
    `
$ softoki init --label ca --so-pin 12345678 --pin 1234 >/dev/null

$ for i in 1 2 3 4 5 6 7 8; do softoki objects --token ca --pin 9999 2>/dev/null; done; softoki objects --token ca --pin 9999
! softoki: CKR_PIN_INCORRECT: the PIN is wrong: try again, softoki tokens tells when one try is left
[1]

$ softoki tokens
SLOT  LABEL  SERIAL            STATE
0     ca     <sixteen digits>  initialised, user PIN set, one try of the user PIN left
1            <sixteen digits>  free

$ softoki objects --token ca --pin 9999 2>/dev/null; softoki objects --token ca --pin 1234
! softoki: CKR_PIN_LOCKED: too many wrong PINs locked it: softoki init --slot N --erase starts again without its objects
[1]

$ softoki tokens
SLOT  LABEL  SERIAL            STATE
0     ca     <sixteen digits>  initialised, user PIN set, user PIN locked
1            <sixteen digits>  free
`,
  )
})

test('softoki init refuses labels that do not fit', async (t) => {
  await transcript(
    shellHome(t, { SOFTOKI_SO_PIN: '12345678', SOFTOKI_PIN: '1234' }),
    `
$ softoki init --label ' '
! softoki: the label is empty: --label names the token
[2]

$ softoki init --label 'ein Name, der sehr viel länger ist'
! softoki: the label has 35 bytes: choose one of at most 32 bytes
[2]

$ softoki init --label "$(printf 'a\\033[2Jb')" | head -n 2
slot    0
label   a\\u{1b}[2Jb
`,
  )
})
