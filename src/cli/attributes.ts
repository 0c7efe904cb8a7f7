/** Attributes for the C_ functions: values in, values out. CK_ULONG is 8 bytes, little-endian. */
import type { Application, Attribute } from '../standard/calls.ts'

export const ulong = (type: number, value: number): Attribute => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return { type, value: bytes }
}

/** CK_BBOOL. */
export const flag = (type: number, value: boolean): Attribute => ({
  type,
  value: Uint8Array.of(value ? 1 : 0),
})

export const bytes = (type: number, value: Uint8Array): Attribute => ({ type, value })

export const text = (type: number, value: string): Attribute => ({
  type,
  value: Buffer.from(value),
})

/** Room for one value, in bytes; more than the modulus of RSA-16384 needs. */
const ROOM = 4096

/** The attributes of one object that it has, shows, and that are not longer than 4096 bytes. */
export class Attributes {
  readonly #values: ReadonlyMap<number, Uint8Array>

  constructor(values: ReadonlyMap<number, Uint8Array>) {
    this.#values = values
  }

  bytes(type: number): Uint8Array | undefined {
    return this.#values.get(type)
  }

  number(type: number): number | undefined {
    const value = this.#values.get(type)
    return value?.length === 8 ? Number(Buffer.from(value).readBigUInt64LE()) : undefined
  }

  /** Only what is there and CK_TRUE. */
  isTrue(type: number): boolean {
    return this.#values.get(type)?.[0] === 1
  }

  text(type: number): string {
    return Buffer.from(this.#values.get(type) ?? []).toString('utf8')
  }

  hex(type: number): string {
    return Buffer.from(this.#values.get(type) ?? []).toString('hex')
  }
}

/** C_GetAttributeValue. An attribute the object lacks or hides is left out. */
export async function readAttributes(
  application: Application,
  session: number,
  object: number,
  types: readonly number[],
): Promise<Attributes> {
  const query = types.map((type) => ({ type, room: ROOM }))
  const { answers } = await application.call('C_GetAttributeValue', [session, object, query])
  return new Attributes(
    new Map(
      answers.flatMap(({ type, value }) =>
        value instanceof Uint8Array ? [[type, value] as const] : [],
      ),
    ),
  )
}
