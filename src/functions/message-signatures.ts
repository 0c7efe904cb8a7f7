/** What message-based functions that sign and that verify have in common. PKCS #11 3.2, 5.14 and 5.16. */
import { after, MessageWorks } from '../sessions/operation.ts'
import type { Session } from '../sessions/session.ts'
import type { MechanismArgument } from '../standard/calls.ts'
import { begin, type Made } from './begin.ts'

/** Makes what signs or verifies each message; the first one was made to check key and parameter. */
export class Another<Works> {
  readonly #make: () => Works | Promise<Works>
  #next: Works | undefined

  constructor(first: Works, make: () => Works | Promise<Works>) {
    this.#next = first
    this.#make = make
  }

  /** That for the next message, which stays the next one until it is taken. */
  next(): Works | Promise<Works> {
    if (this.#next !== undefined) return this.#next
    return after(this.#make(), (made) => {
      this.#next = made
      return made
    })
  }

  took(): void {
    this.#next = undefined
  }
}

interface Signing {
  readonly kind: 'messageSign' | 'messageVerify'
  readonly usage: 'SIGN' | 'VERIFY'
}

/** C_MessageSignInit, C_MessageVerifyInit. */
export function beginSigning(
  session: Session,
  { kind, usage }: Signing,
  argument: MechanismArgument | null,
  key: number,
): undefined | Promise<undefined> {
  const bind = (made: Made, make: () => Made | Promise<Made>) =>
    new MessageWorks(new Another(made, make))
  return begin(session, { kind, use: kind, usage, bind }, argument, key)
}
