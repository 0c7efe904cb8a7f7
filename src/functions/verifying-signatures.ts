/**
 * Verifying with the signature given first: C_VerifySignatureInit and what follows it. PKCS #11 3.2,
 * 5.15. Every mechanism of C_VerifyInit serves.
 */
import type { Verification } from '../mechanisms/mechanism.ts'
import { after, feed, noData } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { Data } from '../standard/calls.ts'
import { CKR } from '../standard/constants.ts'
import { CryptokiError } from '../standard/error.ts'
import { begin, type Made } from './begin.ts'
import type { Call, Implementations } from './implementation.ts'

/** Bytes of a signature at most, which is kept until the end: SLH-DSA's longest has 49,856. */
const MOST_SIGNATURE = 64 << 10

const KIND = 'verifySignature'

/** A verification that has its signature already; what `final` is given does not count. */
const withSignature = (verification: Verification, signature: Uint8Array): Verification => ({
  update: (part) => verification.update(part),
  final: (_none, surrender) => verification.final(signature, surrender),
  ...(verification.copy && {
    copy: () => withSignature((verification.copy as () => Verification)(), signature),
  }),
})

function signatureOf(signature: Uint8Array | null): Uint8Array {
  if (signature === null) throw new CryptokiError(CKR.ARGUMENTS_BAD, 'no signature')
  if (signature.length > MOST_SIGNATURE)
    throw new CryptokiError(CKR.SIGNATURE_LEN_RANGE, `no signature has ${signature.length} bytes`)
  return Uint8Array.from(signature)
}

const NO_SIGNATURE = new Uint8Array(0)

/** Takes the data and checks it; the operation ends either way. */
const check = (
  { surrender }: Call,
  session: Session,
  works: Verification,
  data: Data,
): undefined | Promise<undefined> =>
  after(
    feed(data, surrender, (part) => works.update(part)),
    () =>
      after(works.final(NO_SIGNATURE, surrender), () => {
        session.end(KIND)
        return undefined
      }),
  )

export const verifyingSignatures = {
  C_VerifySignatureInit: (_call, session, mechanism, key, signature) => {
    const given = mechanism === null ? NO_SIGNATURE : signatureOf(signature)
    const bind = (made: Made) => withSignature(made as Verification, given)
    return begin(session, { kind: KIND, use: 'verify', usage: 'VERIFY', bind }, mechanism, key)
  },
  C_VerifySignature: (call, session, data) =>
    check(call, session, session.wholeOperation<Verification>(KIND).works, data),
  C_VerifySignatureUpdate: ({ surrender }, session, data) => {
    const operation = session.operation<Verification>(KIND)
    operation.updated = true
    return after(
      feed(data, surrender, (part) => operation.works.update(part)),
      () => undefined,
    )
  },
  C_VerifySignatureFinal: (call, session) =>
    check(call, session, session.operation<Verification>(KIND).works, noData),
} satisfies Implementations
