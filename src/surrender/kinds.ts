/** Which lengthy work is similar: what its time depends on most. */
import type { lengthy } from '../engine/lengthy.ts'
import { digestsOf } from '../engine/password-derivation.ts'

type Lengthy = typeof lengthy
export type LengthyName = keyof Lengthy
export type Input<N extends LengthyName> = Parameters<Lengthy[N]>[0]

type Sizes = readonly (string | number)[]

/** A message tells by its MiB: what is shorter makes no difference. */
const mebibytes = ({ bytes }: { readonly bytes: Uint8Array }): number => bytes.length >>> 20

/** The sizes of each, none of them secret. */
const sizes: { readonly [N in LengthyName]: (input: Input<N>) => Sizes } = {
  generateRsaKeyPair: ({ bits }) => [bits],
  generateDsaParameters: ({ bits, subprimeBits }) => [bits, subprimeBits],
  generateDsaPrimes: ({ bits, subprimeBits }) => [bits, subprimeBits],
  generateDhParameters: ({ bits }) => [bits],
  generateX942Parameters: ({ bits, subprimeBits }) => [bits, subprimeBits],
  deriveFromPassword: (given) => [given.method, given.digest, digestsOf(given)],
  generateSlhDsaKeyPair: ({ set }) => [set.name],
  signSlhDsa: ({ set, signed }) => [set.name, mebibytes(signed)],
  verifySlhDsa: ({ set, signed }) => [set.name, mebibytes(signed)],
}

/** The kind of work that this is: "generateRsaKeyPair 4096". */
export const kindOf = <N extends LengthyName>(name: N, input: Input<N>): string =>
  [name, ...sizes[name](input)].join(' ')
