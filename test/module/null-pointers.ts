/** A C program that calls every function of 2.40 with each of its pointers NULL, one at a time. */
import { readFileSync } from 'node:fs'
import type { FunctionEntry, Standard } from '../../scripts/standard/tables.ts'

const standard = JSON.parse(
  readFileSync(new URL('../../src/standard/standard.json', import.meta.url), 'utf8'),
) as Standard

/** These have tests of their own. */
const ELSEWHERE = new Set(['C_Initialize', 'C_Finalize', 'C_GetFunctionList'])

/**
 * Where NULL has a meaning: it asks a length, ends an operation, or stands for a callback that is not
 * there or for a PIN that is entered elsewhere. (A PIN of some length is never NULL.)
 */
const mayBeNull = (entry: FunctionEntry, name: string): boolean =>
  ['pApplication', 'Notify', 'pReserved'].includes(name) ||
  (name === 'pMechanism' && entry.name.endsWith('Init')) ||
  entry.args.some(({ name: other, dir }) => other === name && dir.startsWith('out[*'))

const isPointer = (type: string): boolean => type.endsWith('_PTR') || type === 'CK_NOTIFY'

/** An argument that is in order: memory of the program for a pointer, 1 for a number. */
function inOrder(type: string, name: string): string {
  if (name === 'pReserved' || type === 'CK_NOTIFY') return 'NULL'
  if (name === 'pMechanism') return '&mechanism'
  if (type === 'CK_ATTRIBUTE_PTR') return '&attribute'
  return isPointer(type) ? '(void *)memory' : '1'
}

function calls(entry: FunctionEntry): string[] {
  const call = (other: number, value: string) =>
    `p11->${entry.name}(${entry.args.map(({ type, name }, i) => (i === other ? value : inOrder(type, name))).join(', ')})`
  return entry.args.flatMap(({ type, name }, i) => {
    if (name === 'pReserved') return [`  ANSWERS(${call(i, '(void *)memory')}, CKR_ARGUMENTS_BAD);`]
    if (!isPointer(type) || mayBeNull(entry, name)) return []
    return [`  ANSWERS(${call(i, 'NULL')}, CKR_ARGUMENTS_BAD);`]
  })
}

const plain = (entry: FunctionEntry): string =>
  `p11->${entry.name}(${entry.args.map(({ type, name }) => inOrder(type, name)).join(', ')})`

/** The text of the program; it needs a service that answers C_Initialize and C_Finalize. */
export function nullPointersProgram(): string {
  const entries = standard.functionList
    .map((name) => standard.functions.find((row) => row.name === name) as FunctionEntry)
    .filter(({ name, since }) => since === '2.40' && !ELSEWHERE.has(name))
  const before = entries.map((entry) => `  ANSWERS(${plain(entry)}, CKR_CRYPTOKI_NOT_INITIALIZED);`)
  return `#include "check.h"

static CK_ULONG memory[1024];

int main(int count, char **arguments) {
  CHECK(count == 2);
  CK_FUNCTION_LIST *p11 = functions_of(load(arguments[1]));
  CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
  CK_ATTRIBUTE attribute = {CKA_LABEL, "", 0};
${before.join('\n')}
  ANSWERS(p11->C_Initialize(NULL), CKR_OK);
${entries.flatMap(calls).join('\n')}
  ANSWERS(p11->C_Finalize(NULL), CKR_OK);
  return 0;
}
`
}
