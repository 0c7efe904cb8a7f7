import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Environment, Program } from '../service.ts'
import { shellHome, transcript } from './transcript.ts'

/** Runs a command on a terminal of its own. */
const onTerminal = (command: string, environment: Environment) =>
  new Program('script', ['-qefc', command, '/dev/null'], { ...environment, TERM: 'xterm' })

test('PINs come from files, from standard input and from the environment', async (t) => {
  await transcript(
    shellHome(t),
    `
$ printf '12345678\\r\\n1234\\nmore' | softoki init --label ca --so-pin-file - --pin-file -
slot    0
label   ca
serial  <sixteen digits>

$ printf '1234' >pin; softoki objects --token ca --pin-file pin
! softoki: no objects

$ SOFTOKI_PIN=1234 softoki objects --token ca
! softoki: no objects

$ SOFTOKI_PIN=9999 softoki objects --token ca --pin-file pin
! softoki: no objects

$ softoki objects --token ca --pin-file pin --pin 1234
! softoki: the user PIN was given twice: leave out --pin or --pin-file
[2]

$ softoki objects --token ca --pin-file missing
! softoki: the PIN file cannot be read: ENOENT: no such file or directory, open 'missing'
[1]
`,
  )
})

test('without a PIN and without a terminal a command says how to give one', async (t) => {
  await transcript(
    shellHome(t),
    `
$ softoki init --label ca
! softoki: no SO PIN: give it with --so-pin-file FILE or in SOFTOKI_SO_PIN
[2]

$ softoki init --label ca --so-pin 12345678
! softoki: no user PIN: give it with --pin-file FILE or in SOFTOKI_PIN
[2]

$ softoki init --label ca --so-pin 12345678 --pin 123
! softoki: the user PIN has 3 bytes: choose one of 4 to 255 bytes
[2]

$ softoki init --label ca --so-pin '' --pin 1234
! softoki: the SO PIN has 0 bytes: choose one of 4 to 255 bytes
[2]

$ softoki tokens
SLOT  LABEL  SERIAL            STATE
0            <sixteen digits>  free
`,
  )
})

test('on a terminal PINs are asked for twice and not shown', async (t) => {
  const environment = shellHome(t)
  const program = onTerminal('softoki init --label ca', environment)
  for (const [question, pin] of [
    ['new SO PIN', '81726354'],
    ['the same SO PIN again', '81726354'],
    ['new user PIN', '5193'],
    ['the same user PIN again', '5193'],
  ] as const) {
    await program.printed(question)
    program.write(`${pin}\r`)
  }
  const { status, stdout } = await program.end()
  assert.equal(status, 0, stdout)
  assert.match(stdout, /label {3}ca/)
  assert.doesNotMatch(stdout, /81726354|5193/)
  await transcript(environment, '$ softoki objects --token ca --pin 5193\n! softoki: no objects')
})

test('two entries that differ make no token', async (t) => {
  const environment = shellHome(t)
  const program = onTerminal('softoki init --label ca', environment)
  await program.printed('new SO PIN')
  program.write('12345678\r')
  await program.printed('the same SO PIN again')
  program.write('12345679\r')
  const { status, stdout } = await program.end()
  assert.equal(status, 1)
  assert.match(stdout, /softoki: the two entries of the SO PIN differ: run the command again/)
})

test('Ctrl-C instead of a PIN ends with status 130 and changes nothing', async (t) => {
  const environment = shellHome(t)
  const program = onTerminal('softoki init --label ca', environment)
  await program.printed('new SO PIN')
  program.write('\x03')
  const { status, stdout } = await program.end()
  assert.equal(status, 130)
  assert.match(stdout, /softoki: no SO PIN was entered: nothing was changed/)
})

test('on a terminal a PIN on the command line is warned of', async (t) => {
  const environment = shellHome(t)
  const { status, stdout } = await onTerminal(
    'softoki init --label ca --so-pin 12345678 --pin 1234',
    environment,
  ).end()
  assert.equal(status, 0, stdout)
  assert.match(
    stdout,
    /softoki: others may see a PIN on the command line: --pin-file or SOFTOKI_PIN hides it/,
  )
})
