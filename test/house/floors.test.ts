import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const src = fileURLToPath(new URL('../../src', import.meta.url))

/** Lowest first; a file imports from its own floor and from those below. */
const FLOORS = [
  'standard',
  'engine',
  'surrender',
  'store',
  'objects',
  'mechanisms',
  'tokens',
  'sessions',
  'functions',
  'cryptoki.ts',
  'client',
  'wire',
  'service',
  'console',
  'cli',
]

const floorOf = (file: string) => relative(src, file).split('/')[0] ?? ''

const importsOf = (file: string) =>
  Array.from(
    readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g),
    ([, path]) => join(dirname(file), path as string),
  )

test('every file in src stands on a floor of the house', () => {
  for (const file of globSync('**/*.ts', { cwd: src }))
    assert.ok(FLOORS.includes(floorOf(join(src, file))), file)
})

test('no import runs up a floor', () => {
  const up = globSync('**/*.ts', { cwd: src }).flatMap((name) => {
    const file = join(src, name)
    return importsOf(file)
      .filter((target) => FLOORS.indexOf(floorOf(target)) > FLOORS.indexOf(floorOf(file)))
      .map((target) => `${name} imports ${relative(src, target)}`)
  })
  assert.deepEqual(up, [])
})

test('the native binding is loaded in one place', () => {
  const users = globSync('**/*.ts', { cwd: src }).filter((name) =>
    /\.node['"`]/.test(readFileSync(join(src, name), 'utf8')),
  )
  assert.ok(
    users.every((name) => name === 'engine/binding.ts'),
    users.join(', '),
  )
})
