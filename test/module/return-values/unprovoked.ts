/** The return values that the standard lists and that no case can get out of Softoki, and why. */
import type { FunctionName } from '../../../src/standard/calls.ts'
import type { ReturnValue } from './cases.ts'
import { takesLong } from './common.ts'
import { ANSWERS_MUCH, TOUCHES_STORE, WRITES_STORE } from './store.ts'

export interface Reason {
  readonly rv: ReturnValue
  /** The functions it holds for; all that list the value where there are none. */
  readonly of?: readonly FunctionName[] | ((name: FunctionName) => boolean)
  readonly why: string
}

const except =
  (...lists: (readonly FunctionName[])[]) =>
  (name: FunctionName): boolean =>
    !lists.some((list) => list.includes(name))

/** Those that can fail without there being a return value that says more. */
const FAIL: readonly FunctionName[] = [
  'C_Initialize',
  'C_Finalize',
  'C_GetInfo',
  'C_GetSlotList',
  'C_WaitForSlotEvent',
  'C_CloseSession',
  'C_CloseAllSessions',
  'C_GenerateKeyPair',
]

const PARALLEL: readonly FunctionName[] = ['C_GetFunctionStatus', 'C_CancelFunction']

const whateverTheHandle = 'functions are never parallel, whatever the session (5.20)'

export const reasons: readonly Reason[] = [
  // What is about the function.
  {
    rv: 'GENERAL_ERROR',
    why: 'it stands for what nobody foresaw: a way to provoke it would be a mistake to be mended',
  },
  {
    rv: 'FUNCTION_FAILED',
    of: except(FAIL),
    why: 'whatever can fail here has a return value that says more',
  },
  {
    rv: 'HOST_MEMORY',
    of: (name) => name !== 'C_Initialize' && !takesLong(name),
    why: 'the request takes no memory that its caller has not; for the answer it needs an exhausted machine',
  },
  {
    rv: 'DEVICE_ERROR',
    of: except(TOUCHES_STORE, ['C_GetSlotInfo']),
    why: 'it works with what is in memory and does not touch the store',
  },
  {
    rv: 'DEVICE_MEMORY',
    of: except(WRITES_STORE, ANSWERS_MUCH),
    why: 'it stores nothing, and its answer is bounded',
  },
  {
    rv: 'OK',
    of: PARALLEL,
    why: whateverTheHandle,
  },
  { rv: 'SESSION_HANDLE_INVALID', of: PARALLEL, why: whateverTheHandle },
  { rv: 'SESSION_CLOSED', of: PARALLEL, why: whateverTheHandle },
  { rv: 'OPERATION_ACTIVE', of: PARALLEL, why: whateverTheHandle },
  {
    rv: 'SESSION_CLOSED',
    of: ['C_GetSessionInfo'],
    why: 'it is answered at once, so nobody can close the session meanwhile',
  },
  {
    rv: 'OPERATION_ACTIVE',
    of: ['C_GetSessionInfo'],
    why: 'it works while another function does, even from inside a callback',
  },
  {
    rv: 'OPERATION_ACTIVE',
    of: ['C_CloseSession'],
    why: 'it ends what is active; from inside a callback it answers CKR_FUNCTION_FAILED',
  },
  {
    rv: 'FUNCTION_CANCELED',
    of: ['C_InitToken', 'C_InitPIN', 'C_SetPIN', 'C_Login'],
    why: 'it calls nobody back, and there is no protected path on which a PIN entry is cancelled',
  },

  // What Softoki does not have.
  { rv: 'PENDING', why: 'asynchronous sessions are not offered' },
  { rv: 'TOKEN_NOT_PRESENT', why: 'there is no removable token: a slot and its token are one' },
  { rv: 'PIN_EXPIRED', why: 'no PIN expires' },
  { rv: 'PIN_INVALID', why: 'a PIN may have any bytes' },
  { rv: 'TOKEN_RESOURCE_EXCEEDED', why: 'no key can be used a limited number of times only' },
  { rv: 'FUNCTION_REJECTED', why: 'nobody is asked whether a signature may be made' },
  {
    rv: 'OPERATION_CANCEL_FAILED',
    why: 'that a NULL mechanism ends an operation came with 3.0, which is not offered',
  },
  {
    rv: 'PARAMETER_SET_NOT_SUPPORTED',
    why: 'no key type of those offered has parameter sets that are not',
  },
  { rv: 'RANDOM_NO_RNG', why: 'there is a generator' },
  { rv: 'RANDOM_SEED_NOT_SUPPORTED', why: 'a seed is taken and let go' },
  { rv: 'SEED_RANDOM_REQUIRED', why: 'the kernel has seeded the generator' },
  { rv: 'NEED_TO_CREATE_THREADS', why: 'the module makes no threads' },
  {
    rv: 'USER_TOO_MANY_TYPES',
    why: 'one user at a time is the rule, and has its own return value',
  },
  { rv: 'INFORMATION_SENSITIVE', why: 'the size of every object is told' },
  { rv: 'KEY_NEEDED', why: 'a saved state knows its keys' },
  {
    rv: 'TOKEN_NOT_RECOGNIZED',
    of: ['C_GetTokenInfo', 'C_GetMechanismList', 'C_GetMechanismInfo', 'C_InitToken'],
    why: 'it works with a token that is not initialised as well',
  },

  // What is found out earlier, later or otherwise.
  {
    rv: 'TOKEN_WRITE_PROTECTED',
    of: ['C_InitPIN'],
    why: 'no security officer logs in where the try cannot be counted',
  },
  {
    rv: 'TOKEN_WRITE_PROTECTED',
    of: ['C_OpenSession'],
    why: 'that the store cannot be written shows when something is to be written',
  },
  {
    rv: 'SESSION_READ_ONLY',
    of: ['C_InitPIN'],
    why: 'the security officer has read/write sessions only',
  },
  {
    rv: 'USER_NOT_LOGGED_IN',
    of: [
      'C_EncryptInit',
      'C_DecryptInit',
      'C_SignInit',
      'C_SignRecoverInit',
      'C_VerifyInit',
      'C_VerifyRecoverInit',
      'C_WrapKey',
      'C_SetAttributeValue',
    ],
    why: 'without a login no private object has a valid handle',
  },
  {
    rv: 'USER_NOT_LOGGED_IN',
    of: ['C_DigestInit', 'C_SeedRandom', 'C_GenerateRandom'],
    why: 'it works without a login',
  },
  {
    rv: 'KEY_SIZE_RANGE',
    of: [
      'C_SignInit',
      'C_SignRecoverInit',
      'C_VerifyInit',
      'C_VerifyRecoverInit',
      'C_DigestKey',
      'C_DeriveKey',
    ],
    why: 'every key of a type that fits has a size that fits: no other can be made',
  },
  {
    rv: 'SESSION_ASYNC_NOT_SUPPORTED',
    of: ['C_OpenSession'],
    why: 'asynchronous sessions are there',
  },
  {
    rv: 'CURVE_NOT_SUPPORTED',
    of: ['C_GenerateKey', 'C_DeriveKey'],
    why: 'it makes secret keys, which have no curve',
  },
  {
    rv: 'DOMAIN_PARAMS_INVALID',
    of: ['C_DeriveKey'],
    why: 'it makes secret keys, and no base key has domain parameters that are invalid',
  },
  {
    rv: 'ENCRYPTED_DATA_INVALID',
    of: ['C_DecryptUpdate', 'C_DecryptDigestUpdate', 'C_DecryptVerifyUpdate'],
    why: 'only the end of the data tells',
  },
  {
    rv: 'DATA_INVALID',
    of: ['C_VerifyRecover'],
    why: 'its input is a signature, which has return values of its own',
  },
  {
    rv: 'DATA_LEN_RANGE',
    of: ['C_VerifyRecover'],
    why: 'its input is a signature, which has return values of its own',
  },
  {
    rv: 'BUFFER_TOO_SMALL',
    of: ['C_UnwrapKey'],
    why: 'it puts out nothing but a handle',
  },
  {
    rv: 'ATTRIBUTE_TYPE_INVALID',
    of: ['C_FindObjectsInit'],
    why: 'an attribute that no object has finds no object',
  },
]

export const holdsFor = ({ of }: Reason, name: FunctionName): boolean =>
  of === undefined || (typeof of === 'function' ? of(name) : of.includes(name))

/** Why a listed return value of a function has no case; more than one where they overlap. */
export const reasonsFor = (name: FunctionName, rv: string): string[] =>
  reasons.filter((row) => row.rv === rv && holdsFor(row, name)).map(({ why }) => why)
