/** The parameter of a message as it lies in an application's memory: what a function writes is there afterwards. */
import type { MechanismArgument, Parameter } from '../../src/standard/calls.ts'
import { CKG, CKM } from '../../src/standard/constants.ts'

export class MessageMemory {
  readonly type: number
  values: Parameter

  constructor(type: number, values: Parameter) {
    this.type = type
    this.values = values
  }

  /** For a call. */
  get argument(): MechanismArgument {
    return {
      type: this.type,
      parameter: this.values,
      answer: (written) => {
        this.values = { ...this.values, ...written }
      },
    }
  }

  bytes(name: string): Buffer {
    const value = this.values[name]
    if (value instanceof Uint8Array) return Buffer.from(value)
    throw new TypeError(`${name} holds no bytes`)
  }

  /** The same memory with other values. */
  set(values: Parameter): this {
    this.values = { ...this.values, ...values }
    return this
  }
}

const TAG = 16

/** CK_GCM_MESSAGE_PARAMS. */
export const gcmMemory = (values: Parameter = {}): MessageMemory =>
  new MessageMemory(CKM.AES_GCM, {
    iv: Buffer.alloc(12, 3),
    ivFixedBits: 0,
    ivGenerator: CKG.NO_GENERATE,
    tag: Buffer.alloc(TAG),
    tagBits: TAG * 8,
    ...values,
  })

/** CK_CCM_MESSAGE_PARAMS. */
export const ccmMemory = (dataLen: number, values: Parameter = {}): MessageMemory =>
  new MessageMemory(CKM.AES_CCM, {
    dataLen,
    nonce: Buffer.alloc(12, 3),
    nonceFixedBits: 0,
    nonceGenerator: CKG.NO_GENERATE,
    mac: Buffer.alloc(TAG),
    ...values,
  })

/** CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS. */
export const chachaMemory = (values: Parameter = {}): MessageMemory =>
  new MessageMemory(CKM.CHACHA20_POLY1305, {
    nonce: Buffer.alloc(12, 3),
    nonceLen: 96,
    tag: Buffer.alloc(TAG),
    ...values,
  })

/** Of functions whose messages have no parameter. */
export const noParameter: MechanismArgument = { type: 0, parameter: null }
