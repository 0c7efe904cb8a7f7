import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { environmentWith, Program, root, run, softoki, temporaryFolder } from '../service.ts'
import { shellHome } from './transcript.ts'

/** Makes the Node that runs the script say that it is an old one. */
const OLD = [
  '--import',
  'data:text/javascript,Object.defineProperty(process,"version",{value:"v20.11.0"})',
]

/** A package that has no Node of its own. */
function barePackage(t: TestContext) {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'bin'))
  copyFileSync(softoki, join(folder, 'bin/softoki.mjs'))
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  return { folder, script: join(folder, 'bin/softoki.mjs') }
}

/** A program that says it is Node 24 and then does what the script says. */
function fakeNode(folder: string, version: string, script: string): string {
  const node = join(folder, 'node')
  writeFileSync(
    node,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; exit; fi\n${script}\n`,
  )
  chmodSync(node, 0o755)
  return node
}

test('an old Node hands over to the one of the package', async (t) => {
  const { status, stdout, stderr } = await run(
    process.execPath,
    [...OLD, softoki, 'tokens'],
    shellHome(t),
  )
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^SLOT/)
})

test('an old Node hands over to SOFTOKI_NODE with the arguments, and passes its status on', async (t) => {
  const { folder, script } = barePackage(t)
  const node = fakeNode(folder, 'v24.16.0', 'shift; echo "$@"; cat; exit 7')
  const environment = environmentWith({ SOFTOKI_NODE: node })
  const { status, stdout } = await run(
    process.execPath,
    [...OLD, script, 'a b', '--c'],
    environment,
    'input',
  )
  assert.equal(stdout, 'a b --c\ninput')
  assert.equal(status, 7)
})

test('signals go through to the Node handed over to, and back', async (t) => {
  const { folder, script } = barePackage(t)
  const node = fakeNode(folder, 'v26.9.0', 'echo started; exec sleep 60')
  const program = new Program(
    process.execPath,
    [...OLD, script],
    environmentWith({ SOFTOKI_NODE: node }),
  )
  await program.printed('started')
  process.kill(program.pid, 'SIGTERM')
  assert.equal((await program.end()).signal, 'SIGTERM')
})

test('where no Node fits, the message says which is needed', async (t) => {
  const { folder, script } = barePackage(t)
  for (const version of ['v24.15.0', 'v25.1.0', 'v26.8.0']) {
    const environment = environmentWith({ SOFTOKI_NODE: fakeNode(folder, version, 'exit 7') })
    const { status, stderr } = await run(process.execPath, [...OLD, script, 'tokens'], environment)
    assert.equal(status, 1)
    assert.equal(
      stderr,
      'softoki: needs Node ^24.16 || >=26.9, this is v20.11.0: ' +
        'install one from https://nodejs.org, or set SOFTOKI_NODE to the path of one\n',
    )
  }
})
