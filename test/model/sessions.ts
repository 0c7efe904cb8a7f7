/** Rules of slots, sessions, logins and PINs. PKCS #11 3.2, 5.5 and 5.6. */
import assert from 'node:assert/strict'
import { CKF, CKS, CKU } from '../../src/standard/constants.ts'
import {
  done,
  type Expectation,
  grant,
  MOST_FAILURES,
  type ModelApplication,
  ModelSession,
  type Owner,
  onSession,
  type Rules,
  refuse,
  unless,
} from './model.ts'

/** Bytes of a PIN. Ours. */
const PIN_LENGTH = { min: 4, max: 255 }

const isWrongLength = (pin: Uint8Array) =>
  pin.length < PIN_LENGTH.min || pin.length > PIN_LENGTH.max

const OWNERS = new Map<number, Owner>([
  [CKU.SO, 'so'],
  [CKU.USER, 'user'],
])

/** For functions that are called with a slot: the model has one, and knows of no other. */
function onSlot<Inputs extends unknown[], Answer>(
  rule: (application: ModelApplication, ...inputs: Inputs) => Expectation<Answer>,
) {
  return (application: ModelApplication, slot: number, ...inputs: Inputs): Expectation<Answer> => {
    if (application.finalized) return refuse('CRYPTOKI_NOT_INITIALIZED')
    if (slot !== application.token.slot) return refuse('SLOT_ID_INVALID')
    return rule(application, ...inputs)
  }
}

function stateOf({ readWrite, application: { login } }: ModelSession): number {
  if (login === 'so') return CKS.RW_SO_FUNCTIONS
  if (login === 'user') return readWrite ? CKS.RW_USER_FUNCTIONS : CKS.RO_USER_FUNCTIONS
  return readWrite ? CKS.RW_PUBLIC_SESSION : CKS.RO_PUBLIC_SESSION
}

const hasReaders = ({ sessions }: ModelApplication) =>
  [...sessions.values()].some(({ readWrite }) => !readWrite)

const FLAGS = {
  user: [CKF.USER_PIN_COUNT_LOW, CKF.USER_PIN_FINAL_TRY, CKF.USER_PIN_LOCKED],
  so: [CKF.SO_PIN_COUNT_LOW, CKF.SO_PIN_FINAL_TRY, CKF.SO_PIN_LOCKED],
} as const

/** 3.2, CK_TOKEN_INFO: an incorrect PIN was entered at least once; one try is left; none is. */
function triesOf(owner: Owner, failures: number): number {
  const [countLow, finalTry, locked] = FLAGS[owner]
  if (failures >= MOST_FAILURES) return locked
  if (failures === MOST_FAILURES - 1) return countLow | finalTry
  return failures > 0 ? countLow : 0
}

function tokenFlags({ token: { pins, failures } }: ModelApplication): number {
  const always =
    CKF.RNG |
    CKF.LOGIN_REQUIRED |
    CKF.RESTORE_KEY_NOT_NEEDED |
    CKF.DUAL_CRYPTO_OPERATIONS |
    CKF.ASYNC_SESSION_SUPPORTED |
    CKF.TOKEN_INITIALIZED
  const initialized = pins.user === undefined ? 0 : CKF.USER_PIN_INITIALIZED
  return always | initialized | triesOf('user', failures.user) | triesOf('so', failures.so)
}

/** What the PIN says, and what follows where it is right. */
function withPin(
  { application: { token } }: ModelSession,
  owner: Owner,
  pin: Uint8Array,
  then: () => void,
): Expectation<undefined> {
  const rv = token.tryPin(owner, pin)
  if (rv !== 'OK') return refuse(rv)
  then()
  return done
}

/**
 * 4.10, CKU_CONTEXT_SPECIFIC: for an operation whose key asks for a login of its own; ours: the one that
 * was begun last. Where the PIN is locked, the user is logged out.
 */
function loginForOperation(session: ModelSession, pin: Uint8Array): Expectation<undefined> {
  const { application } = session
  const operation = [...session.operations.values()].findLast(({ awaitsLogin }) => awaitsLogin)
  if (operation === undefined) return refuse('OPERATION_NOT_INITIALIZED')
  const rv = application.token.tryPin('user', pin)
  if (application.token.failures.user >= MOST_FAILURES) {
    application.logout()
    return refuse('PIN_LOCKED')
  }
  if (rv !== 'OK') return refuse(rv)
  operation.awaitsLogin = false
  return done
}

function login(session: ModelSession, type: number, pin: Uint8Array): Expectation<undefined> {
  if (type === CKU.CONTEXT_SPECIFIC) return loginForOperation(session, pin)
  const { application } = session
  const owner = OWNERS.get(type)
  if (owner === undefined) return refuse('USER_TYPE_INVALID')
  const present = application.login
  const wrong = {
    USER_ALREADY_LOGGED_IN: present === owner,
    USER_ANOTHER_ALREADY_LOGGED_IN: present !== undefined && present !== owner,
    SESSION_READ_ONLY_EXISTS: owner === 'so' && hasReaders(application),
  }
  return unless(wrong, () =>
    withPin(session, owner, pin, () => {
      application.login = owner
    }),
  )
}

export const sessionRules = {
  C_GetTokenInfo: onSlot((application) =>
    grant((info) => {
      const all = [...application.sessions.values()]
      assert.equal(info.flags, tokenFlags(application))
      assert.equal(info.sessionCount, all.length)
      assert.equal(info.rwSessionCount, all.filter(({ readWrite }) => readWrite).length)
    }),
  ),

  C_InitToken: onSlot(({ token }, pin) => {
    const open = [...token.applications].some(({ sessions }) => sessions.size > 0)
    return unless({ SESSION_EXISTS: open }, () => {
      const rv = token.tryPin('so', pin as Uint8Array)
      if (rv !== 'OK') return refuse(rv)
      token.init()
      return done
    })
  }),

  C_OpenSession: onSlot((application, flags) => {
    const readWrite = (flags & CKF.RW_SESSION) !== 0
    const wrong = {
      SESSION_PARALLEL_NOT_SUPPORTED: (flags & CKF.SERIAL_SESSION) === 0,
      SESSION_READ_WRITE_SO_EXISTS: !readWrite && application.login === 'so',
    }
    return unless(wrong, () =>
      grant((handle) => {
        application.token.giveSession(handle)
        application.sessions.set(handle, new ModelSession(application, handle, readWrite))
      }),
    )
  }),

  C_CloseSession: onSession((session) => {
    session.application.close(session)
    return done
  }),

  C_CloseAllSessions: onSlot((application) => {
    for (const session of [...application.sessions.values()]) application.close(session)
    return done
  }),

  C_GetSessionInfo: onSession((session) =>
    grant((info) => {
      const flags = CKF.SERIAL_SESSION | (session.readWrite ? CKF.RW_SESSION : 0)
      const slotID = session.application.token.slot
      assert.deepEqual(info, { slotID, state: stateOf(session), flags, deviceError: 0 })
    }),
  ),

  C_Login: onSession((session, type, pin) =>
    pin === null ? refuse('ARGUMENTS_BAD') : login(session, type, pin),
  ),

  C_Logout: onSession(({ application }) => {
    if (application.login === undefined) return refuse('USER_NOT_LOGGED_IN')
    application.logout()
    return done
  }),

  C_InitPIN: onSession(({ application }, pin) => {
    const wrong = {
      USER_NOT_LOGGED_IN: application.login !== 'so',
      PIN_LEN_RANGE: isWrongLength(pin as Uint8Array),
    }
    return unless(wrong, () => {
      application.token.pins.user = Buffer.from(pin as Uint8Array).toString()
      application.token.failures.user = 0
      return done
    })
  }),

  /** 5.5.9: the PIN of who is logged in, the user's where nobody is. */
  C_SetPIN: onSession((session, old, pin) => {
    const { token, login: owner = 'user' } = session.application
    const wrong = {
      SESSION_READ_ONLY: !session.readWrite,
      PIN_LEN_RANGE: isWrongLength(pin as Uint8Array),
    }
    return unless(wrong, () =>
      withPin(session, owner, old as Uint8Array, () => {
        token.pins[owner] = Buffer.from(pin as Uint8Array).toString()
      }),
    )
  }),
} satisfies Rules
