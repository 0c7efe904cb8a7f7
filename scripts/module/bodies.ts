/** functions.c: the body of each C_ function, made from its row, and the function lists. */
import { type ArgumentKind, type FunctionRow, functions } from '../../src/standard/functions.ts'
import { type ParameterUse, parameterUse } from '../../src/standard/layouts.ts'
import { structures } from '../../src/standard/structures.ts'
import type { FunctionEntry, Standard } from '../standard/tables.ts'
import { listMembers, parameters } from './header.ts'

export type Version = FunctionRow['since']

/**
 * How a kind of argument passes through a body: how many C arguments it takes ($1, $2, $3), its
 * letters in the signatures of docs/WIRE.md, and the statements before and after the exchange.
 */
interface Passage {
  readonly takes: number
  readonly request?: string
  readonly answer?: string
  readonly put?: string
  readonly get?: string
}

const PASSAGES: Partial<Record<ArgumentKind, Passage>> = {
  session: { takes: 1, request: 'u', put: 'put_session(&call, $1);' },
  slot: { takes: 1, request: 'u', put: 'put_ulong(&call, $1);' },
  object: { takes: 1, request: 'u', put: 'put_ulong(&call, $1);' },
  ulong: { takes: 1, request: 'u', put: 'put_ulong(&call, $1);' },
  bool: { takes: 1, request: 'y', put: 'put_bool(&call, $1);' },
  notify: { takes: 2, request: 'y', put: 'put_notify(&call, $1, $2);' },
  bytes: { takes: 2, request: 'a', put: 'put_bytes(&call, "$1", $1, $2);' },
  pin: { takes: 2, request: 'a', put: 'put_bytes(&call, "$1", $1, $2);' },
  data: { takes: 2, request: 'd', put: 'put_data(&call, "$1", $1, $2);' },
  text: { takes: 1, request: 'z', put: 'put_text(&call, "$1", $1);' },
  label: { takes: 1, request: 'l', put: 'put_label(&call, "$1", $1);' },
  template: { takes: 2, request: 'A', put: 'put_template(&call, "$1", $1, $2);' },
  mechanism: { takes: 1, request: 'M', put: 'put_mechanism(&call, $use, $1);' },
  parameter: {
    takes: 2,
    request: 'P',
    put: 'put_parameter(&call, $operation, "$1", $1, $2);',
  },
  room: {
    takes: 2,
    request: 'f',
    answer: 'f',
    put: 'put_room(&call, "$2", $1, $2);',
    get: 'get_room(&call, $1, $2);',
  },
  fill: {
    takes: 2,
    request: 'g',
    answer: 'g',
    put: 'put_fill(&call, "$1", $1, $2);',
    get: 'get_fill(&call, $1, $2);',
  },
  list: {
    takes: 2,
    request: 'n',
    answer: 'n',
    put: 'put_list(&call, "$2", $1, $2);',
    get: 'get_list(&call, $1, $2);',
  },
  found: {
    takes: 3,
    request: 'h',
    answer: 'h',
    put: 'want(&call, "$3", $3);\n  put_found(&call, "$1", $1, $2);',
    get: 'get_found(&call, $1, $2, $3);',
  },
  query: {
    takes: 2,
    request: 'Q',
    answer: 'Q',
    put: 'put_query(&call, "$1", $1, $2);',
    get: 'get_query(&call, $1, $2);',
  },
  ulongOut: { takes: 1, answer: 'u', put: 'want(&call, "$1", $1);', get: 'get_ulong(&call, $1);' },
  structureOut: {
    takes: 1,
    answer: 'S',
    put: 'want(&call, "$1", $1);',
    get: 'get_structure(&call, $1, sizeof *$1, "$layout");',
  },
  asyncData: {
    takes: 1,
    request: 'y',
    answer: 'D',
    put: 'put_async_data(&call, "$1", $1);',
    get: 'get_async_data(&call, $1);',
  },
  asyncRoom: { takes: 2, request: 'f', put: 'put_async_room(&call, "$1", $1, $2);' },
  reserved: { takes: 1, put: 'want_null(&call, "$1", $1);' },
}

/** Written by hand: module.c and interfaces.c. */
const BY_HAND = new Set([
  'C_Initialize',
  'C_Finalize',
  'C_GetFunctionList',
  'C_GetInterfaceList',
  'C_GetInterface',
])

/** Answered by the module once it is initialized, whatever the arguments. */
const CONSTANT: Readonly<Record<string, string>> = {
  C_GetFunctionStatus: 'CKR_FUNCTION_NOT_PARALLEL',
  C_CancelFunction: 'CKR_FUNCTION_NOT_PARALLEL',
}

/** What a function answers inside a callback of its own session; any other: CKR_OPERATION_ACTIVE. */
const WITHIN_CALLBACK: Readonly<Record<string, string>> = {
  C_GetSessionInfo: 'CKR_OK',
  C_CloseSession: 'CKR_FUNCTION_FAILED',
  C_SessionCancel: 'CKR_FUNCTION_FAILED',
}

interface Around {
  readonly before?: string
  readonly after?: string
}

/** Statements around the exchange of functions that change which sessions there are. */
const AROUND: Readonly<Record<string, Around>> = {
  C_OpenSession: { after: 'session_opened(&call, slotID, phSession);' },
  C_CloseSession: { after: 'session_closed(&call, hSession);' },
  C_AsyncJoin: { after: 'pending_joined(&call, pData, ulData);' },
  C_CloseAllSessions: {
    before: 'refuse_within_slot(&call, slotID);',
    after: 'slot_closed(&call, slotID);',
  },
}

/** The return value for a service that is gone: the first of these that the standard lists. */
const GONE = ['DEVICE_REMOVED', 'DEVICE_ERROR', 'FUNCTION_FAILED']

/** A mechanism that is NULL ends the operation in these; elsewhere it is a bad argument. */
const takesNoMechanism = (name: string) => name.endsWith('Init')

/** Whose parameter a mechanism has, in C. */
const USES: Readonly<Record<ParameterUse, string>> = {
  mechanism: 'USE_MECHANISM',
  wrap: 'USE_WRAP',
  message: 'USE_MESSAGE',
}

/** The message-based operation that a function works on, in C. */
const operationOf = ({ operations }: FunctionRow): string =>
  (operations[0] ?? '').replace(/^message/, 'message_').toUpperCase()

/** Passages of one function alone, by the function and the kind. */
const PASSAGES_OF: Readonly<Record<string, Passage>> = {
  // There may be no key to answer.
  'C_DeriveKey ulongOut': {
    takes: 1,
    answer: 'u',
    put: 'want_key(&call, "$1", $1);',
    get: 'get_key(&call, $1);',
  },
  // A length that is NULL says that more data follow.
  'C_SignMessageNext room': {
    takes: 2,
    request: 'f',
    answer: 'f',
    put: 'put_last_room(&call, $1, $2);',
    get: 'get_last_room(&call, $1, $2);',
  },
}

const passageOf = (name: string, kind: ArgumentKind): Passage | undefined =>
  PASSAGES_OF[`${name} ${kind}`] ?? PASSAGES[kind]

interface Statements {
  readonly put: string[]
  readonly get: string[]
  request: string
  answer: string
}

function statementsOf(entry: FunctionEntry, row: FunctionRow): Statements {
  const made: Statements = { put: [], get: [], request: '', answer: '' }
  let at = 0
  for (const { kind, structure } of row.args) {
    const passage = passageOf(entry.name, kind)
    if (passage === undefined) throw new Error(`${entry.name}: no passage for ${kind}`)
    const names = entry.args.slice(at, at + passage.takes).map(({ name }) => name)
    const layout = structure === undefined ? '' : structures[structure as 'CK_INFO'].layout
    const fill = (text: string) =>
      text
        .replaceAll(/\$(\d)/g, (_, n: string) => names[Number(n) - 1] as string)
        .replace('$layout', layout)
        .replace('$use', USES[parameterUse(entry.name)])
        .replace('$operation', operationOf(row))
    if (kind === 'mechanism' && !takesNoMechanism(entry.name))
      made.put.push(`want(&call, "${names[0]}", ${names[0]});`)
    if (passage.put !== undefined) made.put.push(fill(passage.put))
    if (passage.get !== undefined) made.get.push(fill(passage.get))
    made.request += passage.request ?? ''
    made.answer += passage.answer ?? ''
    at += passage.takes
  }
  if (at !== entry.args.length) throw new Error(`${entry.name}: its row does not fit its arguments`)
  return made
}

/** The head of a definition, broken between parameters where it is longer than a line. */
function definition(entry: FunctionEntry, exported: boolean): string {
  const start = `CK_RV ${entry.name}(`
  const lines: string[] = []
  let line = start
  for (const [i, parameter] of parameters(entry).split(', ').entries()) {
    const piece = parameter + (i === entry.args.length - 1 ? ')' : ',')
    if (line.length + piece.length + 3 > 100) {
      lines.push(line)
      line = ' '.repeat(start.length) + piece
    } else line += (i === 0 ? '' : ' ') + piece
  }
  return `${exported ? 'EXPORTED\n' : ''}${[...lines, line].join('\n')} {\n`
}

function body(entry: FunctionEntry, row: FunctionRow): string {
  const constant = CONSTANT[entry.name]
  if (constant !== undefined) {
    const unused = entry.args.map(({ name }) => `  (void)${name};\n`).join('')
    return `${unused}  return always("${entry.name}", ${constant});\n}\n`
  }
  const { put, get, request, answer } = statementsOf(entry, row)
  const around: Around | undefined = /^C_Message\w+Init$/.test(entry.name)
    ? { after: `message_begun(&call, ${operationOf(row)}, pMechanism);` }
    : AROUND[entry.name]
  const gone = GONE.find((code) => row.returns.includes(code)) ?? 'FUNCTION_FAILED'
  const statements = [
    ...put,
    ...(around?.before ? [around.before] : []),
    'call_transact(&call);',
    ...get,
    ...(around?.after ? [around.after] : []),
  ]
  return `  static const struct function row = {
    .name = "${entry.name}",
    .index = ${row.index},
    .request = "${request}",
    .answer = "${answer}",
    .gone = CKR_${gone},
    .within_callback = ${WITHIN_CALLBACK[entry.name] ?? 'CKR_OPERATION_ACTIVE'},
  };
  struct call call;

  if (!call_begin(&call, &row)) return CKR_CRYPTOKI_NOT_INITIALIZED;
${statements.map((statement) => `  ${statement}`).join('\n')}
  return call_end(&call);
}
`
}

const HEAD = `/* Generated by scripts/module/generate.ts from src/standard. Do not edit. */
/*
 * One function, one shape: the arguments go into a message, the message to the service, the answer
 * into the caller's memory. The first error stands and the steps after it do nothing.
 */
#include "call.h"
#include "interfaces.h"
#include "marshal.h"
#include "mechanism.h"
#include "module.h"
#include "pending.h"
#include "sessions.h"
#include "template.h"
`

const LISTS: readonly { version: Version; type: string; number: string }[] = [
  { version: '3.2', type: 'CK_FUNCTION_LIST_3_2', number: '3, 2' },
  { version: '3.0', type: 'CK_FUNCTION_LIST_3_0', number: '3, 0' },
  { version: '2.40', type: 'CK_FUNCTION_LIST', number: '2, 40' },
]

const nameOfList = (version: Version) => `function_list_${version.replace('.', '_')}`

function lists(offered: Version): string {
  const chosen = LISTS.filter(
    ({ version }) => Number.parseFloat(version) <= Number.parseFloat(offered),
  )
  const definitions = chosen.map(({ version, type, number }) => {
    const members = listMembers(version).map((member) => `  ${member},`)
    const linkage = version === '2.40' ? '' : 'static '
    return `\n${linkage}const ${type} ${nameOfList(version)} = {\n  {${number}},\n${members.join('\n')}\n};\n`
  })
  const entry = (name: string, list: string) =>
    `  {(CK_UTF8CHAR_PTR)${name}, (CK_VOID_PTR)&${list}, 0},`
  const entries = [
    ...chosen.map(({ version }) => entry('"PKCS 11"', nameOfList(version))),
    entry('SOFTOKI_INTERFACE', 'softoki_function_list'),
  ]
  return `${definitions.join('')}
/* The newest first: it is what C_GetInterface answers to a caller without a wish. Ours is the last. */
CK_INTERFACE interfaces[] = {
${entries.join('\n')}
};
const CK_ULONG interface_count = ${entries.length};
`
}

/** The text of functions.c for a module whose newest function list is \`offered\`. */
export function functionBodies(standard: Standard, offered: Version): string {
  const rows = functions as Record<string, FunctionRow>
  const bodies = listMembers(offered)
    .filter((name) => !BY_HAND.has(name))
    .map((name) => {
      const entry = standard.functions.find((candidate) => candidate.name === name)
      const row = rows[name]
      if (entry === undefined || row === undefined) throw new Error(`${name} is in no table`)
      return `\n${definition(entry, row.since === '2.40')}${body(entry, row)}`
    })
  return HEAD + bodies.join('') + lists(offered)
}
