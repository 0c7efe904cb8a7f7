import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Standard } from '../../scripts/standard/tables.ts'
import { functions } from '../../src/standard/functions.ts'
import { compiled, P11_KIT, ran } from './programs.ts'

/** Structures that p11-kit's header has with the standard's names of the fields. */
const SHARED = [
  ...['CK_VERSION', 'CK_INFO', 'CK_SLOT_INFO', 'CK_TOKEN_INFO', 'CK_SESSION_INFO', 'CK_ATTRIBUTE'],
  ...['CK_DATE', 'CK_MECHANISM', 'CK_MECHANISM_INFO', 'CK_C_INITIALIZE_ARGS', 'CK_GCM_PARAMS'],
  ...['CK_RSA_PKCS_OAEP_PARAMS', 'CK_RSA_PKCS_PSS_PARAMS', 'CK_ECDH1_DERIVE_PARAMS'],
  'CK_AES_CTR_PARAMS',
]

const standard = JSON.parse(
  readFileSync(new URL('../../src/standard/standard.json', import.meta.url), 'utf8'),
) as Standard

const fieldsOf = (name: string) => standard.structures[name]?.fields ?? []

/** A program that prints where each field lies, each function, and each constant it knows. */
function printer(structures: readonly string[]): string {
  const places = structures.flatMap((name) => [
    `  printf("${name} %zu\\n", sizeof(${name}));`,
    ...fieldsOf(name).map(
      ({ name: field }) => `  printf("${name}.${field} %zu\\n", offsetof(${name}, ${field}));`,
    ),
  ])
  const members = Object.entries(functions)
    .filter(([, { since }]) => since === '2.40')
    .map(([name]) => `  printf("${name} %zu\\n", offsetof(CK_FUNCTION_LIST, ${name}));`)
  const constants = Object.keys(standard.constants).map(
    (name) => `#ifdef ${name}\n  printf("${name} 0x%lx\\n", (unsigned long)(${name}));\n#endif`,
  )
  const lines = [...places, ...members, ...constants].join('\n')
  return `#include <stddef.h>
#include <stdio.h>
#include "pkcs11.h"

int main(void) {
${lines}
  return 0;
}
`
}

function written(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'softoki-header-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'print.c')
  writeFileSync(file, text)
  return file
}

async function printed(file: string, name: string, include?: string): Promise<Map<string, string>> {
  const program = compiled({ file, name, ...(include === undefined ? {} : { include }) })
  const { stdout } = await ran(program, tmpdir())
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string])
  return new Map(pairs)
}

test('pkcs11.h lays structures out and numbers constants as the standard does', async (t) => {
  const structures = Object.keys(standard.structures).filter((name) => name.startsWith('CK_'))
  const values = await printed(written(t, printer(structures)), 'print-own')
  for (const name of structures) {
    assert.equal(values.get(name), `${standard.structures[name]?.size}`, name)
    for (const { name: field, offset } of fieldsOf(name))
      assert.equal(values.get(`${name}.${field}`), `${offset}`, `${name}.${field}`)
  }
  for (const [name, value] of Object.entries(standard.constants))
    assert.equal(values.get(name), `0x${BigInt(value).toString(16)}`, name)
  // The version comes first, then pointers without a gap.
  for (const [name, { index, since }] of Object.entries(functions))
    if (since === '2.40') assert.equal(values.get(name), `${8 * (index + 1)}`, name)
})

/** Where p11-kit's header differs: it is one of version 2.40, and has five numbers of its own. */
const DIFFERENT_THERE = new Set([
  ...['CRYPTOKI_VERSION_MAJOR', 'CRYPTOKI_VERSION_MINOR'],
  ...['CKR_EXCEEDED_MAX_ITERATIONS', 'CKR_FIPS_SELF_TEST_FAILED', 'CKR_LIBRARY_LOAD_FAILED'],
  ...['CKR_PIN_TOO_WEAK', 'CKR_PUBLIC_KEY_INVALID'],
])

test('pkcs11.h agrees with p11-kit’s header in what both have', async (t) => {
  if (P11_KIT === undefined) return t.diagnostic('p11-kit’s header is not installed')
  const file = written(t, printer(SHARED))
  const own = await printed(file, 'print-shared')
  const theirs = await printed(file, 'print-p11-kit', P11_KIT)
  assert.ok(theirs.size > 700, `${theirs.size} values`)
  const differing = [...theirs].filter(([name, value]) => own.get(name) !== value)
  assert.deepEqual(
    differing.filter(([name]) => !DIFFERENT_THERE.has(name)),
    [],
  )
})
