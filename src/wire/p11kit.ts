/**
 * p11-kit's protocol as its server speaks it (p11-kit/rpc-message.h, rpc-server.c), versions 0 to 2,
 * so that p11-kit's own client works. A function that p11-kit has no number for cannot be asked.
 */
import type { FunctionName } from '../standard/calls.ts'
import { OUT_KINDS } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { type ArgumentRow, functions } from '../standard/functions.ts'
import {
  type CallParts,
  type Calls,
  codecFor,
  inputRows,
  type Part,
  type WireCall,
  wireCall,
} from './calls.ts'
import type { Aside, Codec } from './codec.ts'
import type { StructureName } from './layouts.ts'
import { updatedParameter } from './p11kit-mechanisms.ts'
import { answerKinds, bytes, label, requestKinds, structure } from './p11kit-values.ts'
import { bool, ulong } from './values.ts'

/** The newest version that is spoken here. */
export const NEWEST = 2

/** A body has at most so many bytes: 256 MiB, since data travels with its call whole. */
export const MOST_BODY = 256 << 20

/** The functions in the order of their numbers, from 1; 0 is an error. */
const NUMBERED = `
  Initialize Finalize GetInfo GetSlotList GetSlotInfo GetTokenInfo GetMechanismList
  GetMechanismInfo InitToken OpenSession CloseSession CloseAllSessions GetSessionInfo InitPIN SetPIN
  GetOperationState SetOperationState Login Logout CreateObject CopyObject DestroyObject
  GetObjectSize GetAttributeValue SetAttributeValue FindObjectsInit FindObjects FindObjectsFinal
  EncryptInit Encrypt EncryptUpdate EncryptFinal DecryptInit Decrypt DecryptUpdate DecryptFinal
  DigestInit Digest DigestUpdate DigestKey DigestFinal SignInit Sign SignUpdate SignFinal
  SignRecoverInit SignRecover VerifyInit Verify VerifyUpdate VerifyFinal VerifyRecoverInit
  VerifyRecover DigestEncryptUpdate DecryptDigestUpdate SignEncryptUpdate DecryptVerifyUpdate
  GenerateKey GenerateKeyPair WrapKey UnwrapKey DeriveKey SeedRandom GenerateRandom WaitForSlotEvent
  LoginUser SessionCancel MessageEncryptInit EncryptMessage EncryptMessageBegin EncryptMessageNext
  MessageEncryptFinal MessageDecryptInit DecryptMessage DecryptMessageBegin DecryptMessageNext
  MessageDecryptFinal MessageSignInit SignMessage SignMessageBegin SignMessageNext MessageSignFinal
  MessageVerifyInit VerifyMessage VerifyMessageBegin VerifyMessageNext MessageVerifyFinal`
  .trim()
  .split(/\s+/)
  .map((name) => `C_${name}` as FunctionName)

/** C_InitToken with a label of 32 bytes, from version 1; C_DeriveKey that may update its parameter, from 2. */
const INIT_TOKEN_2 = NUMBERED.length + 1
const DERIVE_KEY_2 = NUMBERED.length + 2

function usual(name: FunctionName, number: number, version: number): CallParts {
  const kinds = requestKinds(version)
  const outputs = answerKinds(version)
  const rows: readonly ArgumentRow[] = functions[name].args
  return {
    name,
    number,
    inputs: inputRows(name).map(({ kind }) => codecFor(kinds, kind)),
    parts: rows.flatMap((row): Part[] => {
      if (row.kind === 'structureOut')
        return [{ output: structure(row.structure as StructureName) }]
      return OUT_KINDS.has(row.kind) ? [{ output: codecFor(outputs, row.kind) }] : []
    }),
  }
}

/** Replaces the codec of an input. */
const instead = (parts: CallParts, at: number, codec: Codec): CallParts => ({
  ...parts,
  inputs: parts.inputs.with(at, codec),
})

/** C_Initialize: a handshake, whether a reserved argument was given, and that argument. */
const initialize = (number: number): CallParts => ({
  name: 'C_Initialize',
  number,
  inputs: [bytes, bool, bytes],
  parts: [],
})

/**
 * C_SignMessageNext says apart from its room whether a signature is expected. Where it is, and there is
 * no room, its length is asked for.
 */
function signMessageNext(parts: CallParts): CallParts {
  const at = parts.inputs.length - 1
  const room = parts.inputs[at] as Codec
  return instead(parts, at, {
    letters: `y${room.letters}`,
    write(writer, value) {
      writer.bool(value !== null)
      room.write(writer, value)
    },
    read(reader) {
      const expected = reader.u8() !== 0
      const value = room.read(reader)
      return expected ? (value ?? 0) : null
    },
  })
}

/** The CK_RV of a function that did work. */
const success: Aside = {
  letters: ulong.letters,
  write: (writer) => writer.u64(CKR.OK),
  read: (reader) => void reader.u64(),
}

function partsOf(name: FunctionName, number: number, version: number): CallParts {
  if (name === 'C_Initialize') return initialize(number)
  const parts = usual(name, number, version)
  return name === 'C_SignMessageNext' ? signMessageNext(parts) : parts
}

/** The calls of a version by their numbers. */
function callsOf(version: number): Calls {
  const deriveKey = usual('C_DeriveKey', DERIVE_KEY_2, version)
  const parts = [
    ...NUMBERED.map((name, at) => partsOf(name, at + 1, version)),
    instead(usual('C_InitToken', INIT_TOKEN_2, version), 2, label),
    {
      ...deriveKey,
      parts: [{ aside: success }, { aside: updatedParameter(1) }, ...deriveKey.parts],
    },
  ]
  return new Map(parts.map((call): [number, WireCall] => [call.number, wireCall(call)]))
}

const versions: readonly Calls[] = [callsOf(0), callsOf(1), callsOf(2)]

/** The calls of a version; those of later versions are there in all, as in p11-kit's own server. */
export const p11kitCalls = (version: number): Calls => versions[version] as Calls

const HANDSHAKE = Buffer.from('PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1')

/** Checks the inputs of C_Initialize; throws CKR_GENERAL_ERROR for another handshake. */
export function checkHandshake([handshake]: readonly unknown[]): void {
  if (!(handshake instanceof Uint8Array) || !HANDSHAKE.equals(handshake))
    throw new CryptokiError(CKR.GENERAL_ERROR, 'the handshake is not that of p11-kit')
}
