/** A function of the standard becomes a row: its C arguments fold into arguments with a kind. */
import { plainName } from './structures.ts'
import type { Argument, FunctionEntry } from './tables.ts'

export const functionType = `export interface FunctionRow {
  /** Position in CK_FUNCTION_LIST_3_2, from 0. */
  readonly index: number
  readonly since: '2.40' | '3.0' | '3.2'
  readonly chapter: string
  /** Whether the standard lets it surrender: chapters 5.8 to 5.18 without the dual and object ones. */
  readonly surrenders: boolean
  /** The operations it works on: an error of the function ends them. */
  readonly operations: readonly OperationKind[]
  readonly args: readonly ArgumentRow[]
  /** The names of the return values the standard lists, without CKR_. */
  readonly returns: readonly string[]
}

export interface ArgumentRow {
  readonly name: string
  readonly kind: ArgumentKind
  /** The C structure behind a \`structureOut\`. */
  readonly structure?: string
}

export type OperationKind =
  | 'encrypt'
  | 'decrypt'
  | 'digest'
  | 'sign'
  | 'signRecover'
  | 'verify'
  | 'verifyRecover'
  | 'verifySignature'
  | 'messageEncrypt'
  | 'messageDecrypt'
  | 'messageSign'
  | 'messageVerify'

export type ArgumentKind =
  // in
  | 'session'
  | 'slot'
  | 'object'
  | 'ulong'
  | 'bool'
  | 'bytes'
  | 'pin'
  | 'data'
  | 'text'
  | 'label'
  | 'template'
  | 'mechanism'
  | 'notify'
  | 'initArgs'
  | 'reserved'
  // out
  | 'ulongOut'
  | 'structureOut'
  | 'room'
  | 'fill'
  | 'list'
  | 'found'
  // in and out
  | 'query'
  | 'parameter'
  | 'asyncData'
  | 'asyncRoom'
  // answered by the module itself
  | 'local'
`

const STREAMED =
  /^p(Data|Part|EncryptedData|EncryptedPart|Plaintext|PlaintextPart|Ciphertext|CiphertextPart)$/
const STRUCTURES = /^(CK_(?:INFO|SLOT_INFO|TOKEN_INFO|MECHANISM_INFO|SESSION_INFO))_PTR$/
const LOCAL = new Set(['C_GetFunctionList', 'C_GetInterfaceList', 'C_GetInterface'])

interface Folded {
  kind: string
  takes: number
  structure?: string
}

function fold(entry: FunctionEntry, at: number): Folded {
  const argument = entry.args[at] as Argument
  const next = entry.args[at + 1]
  const { name, type, dir } = argument
  const structure = type.match(STRUCTURES)?.[1]
  if (LOCAL.has(entry.name)) return { kind: 'local', takes: 1 }
  if (type === 'CK_SESSION_HANDLE') return { kind: 'session', takes: 1 }
  if (type === 'CK_OBJECT_HANDLE') return { kind: 'object', takes: 1 }
  if (type === 'CK_SLOT_ID') return { kind: 'slot', takes: 1 }
  if (type === 'CK_BBOOL') return { kind: 'bool', takes: 1 }
  if (structure !== undefined) return { kind: 'structureOut', takes: 1, structure }
  if (name === 'pReserved') return { kind: 'reserved', takes: 1 }
  if (name === 'pInitArgs') return { kind: 'initArgs', takes: 1 }
  if (name === 'pApplication') return { kind: 'notify', takes: 2 }
  if (name === 'pLabel') return { kind: 'label', takes: 1 }
  if (name === 'pFunctionName') return { kind: 'text', takes: 1 }
  if (type === 'CK_ASYNC_DATA_PTR') return { kind: 'asyncData', takes: 1 }
  if (entry.name === 'C_AsyncJoin' && name === 'pData') return { kind: 'asyncRoom', takes: 2 }
  if (type === 'CK_MECHANISM_PTR') return { kind: 'mechanism', takes: 1 }
  if (type === 'CK_ATTRIBUTE_PTR') return { kind: dir === 'inout' ? 'query' : 'template', takes: 2 }
  if (name === 'pParameter') return { kind: 'parameter', takes: 2 }
  if (dir.startsWith('out[ulMaxObjectCount]')) return { kind: 'found', takes: 3 }
  if (dir.startsWith('out[*pul'))
    return { kind: type === 'CK_BYTE_PTR' ? 'room' : 'list', takes: 2 }
  if (entry.name === 'C_GenerateRandom' && name === 'pRandomData') return { kind: 'fill', takes: 2 }
  if (dir === 'out' && type.endsWith('_PTR')) return { kind: 'ulongOut', takes: 1 }
  if (/Pin$/.test(name) && next?.type === 'CK_ULONG') return { kind: 'pin', takes: 2 }
  if (type.endsWith('CHAR_PTR') || type === 'CK_BYTE_PTR') {
    const streamed = STREAMED.test(name) && !entry.name.endsWith('capsulateKey')
    return { kind: streamed ? 'data' : 'bytes', takes: 2 }
  }
  if (/^CK_(ULONG|FLAGS|USER_TYPE|MECHANISM_TYPE|SESSION_VALIDATION_FLAGS_TYPE)$/.test(type))
    return { kind: 'ulong', takes: 1 }
  throw new Error(`${entry.name}: no kind for ${type} ${name} (${dir})`)
}

const OPERATIONS: readonly [RegExp, readonly string[]][] = [
  [/^C_DigestEncryptUpdate$/, ['digest', 'encrypt']],
  [/^C_DecryptDigestUpdate$/, ['decrypt', 'digest']],
  [/^C_SignEncryptUpdate$/, ['sign', 'encrypt']],
  [/^C_DecryptVerifyUpdate$/, ['decrypt', 'verify']],
  [/^C_SignRecover/, ['signRecover']],
  [/^C_VerifyRecover/, ['verifyRecover']],
  [/^C_VerifySignature/, ['verifySignature']],
]

function operationsOf(name: string): readonly string[] {
  const message = name.match(
    /^C_(?:Message(Encrypt|Decrypt|Sign|Verify)|(Encrypt|Decrypt|Sign|Verify)Message)/,
  )
  if (message) return [`message${message[1] ?? message[2]}`]
  const plain = name.match(/^C_(Encrypt|Decrypt|Digest|Sign|Verify)(Init|Update|Final|Key)?$/)
  if (plain) return [(plain[1] as string).toLowerCase()]
  return OPERATIONS.find(([pattern]) => pattern.test(name))?.[1] ?? []
}

export function functionRow(entry: FunctionEntry, index: number): string {
  const args: string[] = []
  for (let at = 0; at < entry.args.length; ) {
    const { kind, takes, structure } = fold(entry, at)
    const name = plainName((entry.args[at] as Argument).name)
    args.push(
      `{ name: '${name}', kind: '${kind}'${structure ? `, structure: '${structure}'` : ''} }`,
    )
    at += takes
  }
  const quoted = (names: readonly string[]) => names.map((n) => `'${n}'`).join(', ')
  return `  ${entry.name}: {
    index: ${index},
    since: '${entry.since}',
    chapter: '${entry.category}',
    surrenders: ${entry.surrenderCategory || /Message/.test(entry.name)},
    operations: [${quoted(operationsOf(entry.name))}],
    args: [${args.join(', ')}],
    returns: [${quoted(entry.returns.map((code) => code.replace(/^CKR_/, '')))}],
  },`
}
