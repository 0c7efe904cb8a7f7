/** Objects of the model: the bytes of their attributes, and which of those they reveal. */
import type { Attribute } from '../../src/standard/calls.ts'
import { CKA, CKO, CKP } from '../../src/standard/constants.ts'
import { template } from '../in-process.ts'
import type { ModelSession } from './model.ts'

/** What a template of the model may name, all of it for each object. */
export type Attributes = ReadonlyMap<number, Uint8Array>

const isTrue = (value: Uint8Array | undefined) => value?.[0] === 1

export class ModelObject {
  attributes: Attributes
  /** The session whose end is the end of it, for a session object. */
  readonly session: ModelSession | undefined
  /** CKA_UNIQUE_ID, as the token gave it. */
  id = ''
  alive = true

  /** `session` makes it; without one it is the token's. */
  constructor(attributes: Attributes, session?: ModelSession) {
    this.attributes = attributes
    this.session = this.is(CKA.TOKEN) ? undefined : session
  }

  is(type: number): boolean {
    return isTrue(this.attributes.get(type))
  }

  get isPrivate(): boolean {
    return this.is(CKA.PRIVATE)
  }

  get class(): number {
    return this.attributes.get(CKA.CLASS)?.[0] as number
  }

  get keyType(): number | undefined {
    return this.attributes.get(CKA.KEY_TYPE)?.[0]
  }

  get isKey(): boolean {
    return this.keyType !== undefined
  }

  get value(): Uint8Array {
    return this.attributes.get(CKA.VALUE) ?? new Uint8Array()
  }

  /** Footnote 7: a sensitive or unextractable key does not tell its value. */
  hides(type: number): boolean {
    const isSecret = this.class === CKO.PRIVATE_KEY || this.class === CKO.SECRET_KEY
    return isSecret && type === CKA.VALUE && (this.is(CKA.SENSITIVE) || !this.is(CKA.EXTRACTABLE))
  }

  /** 5.7.7: "an exact byte-for-byte match with all attributes in the template"; hidden ones match nothing. */
  matches(template: readonly Attribute[]): boolean {
    return template.every(({ type, value }) => {
      const own = this.attributes.get(type)
      const asked = value as Uint8Array
      return own !== undefined && !this.hides(type) && Buffer.compare(own, asked) === 0
    })
  }
}

export const attributesOf = (template: readonly Attribute[]): Attributes =>
  new Map(template.map(({ type, value }) => [type, value as Uint8Array]))

/** Everybody sees them, and nobody changes, copies or destroys them. 4.14. */
const profiles: readonly (readonly [id: number, label: string])[] = [
  [CKP.BASELINE_PROVIDER, 'Baseline Provider'],
  [CKP.EXTENDED_PROVIDER, 'Extended Provider'],
  [CKP.AUTHENTICATION_TOKEN, 'Authentication Token'],
  [CKP.PUBLIC_CERTIFICATES_TOKEN, 'Public Certificates Token'],
]

/** The profile objects of a token; ours: the unique id is the number of the profile. */
export const profileObjects = (): ModelObject[] =>
  profiles.map(([profile, label]) => {
    const attributes = template({
      CLASS: CKO.PROFILE,
      TOKEN: true,
      PRIVATE: false,
      MODIFIABLE: false,
      COPYABLE: false,
      DESTROYABLE: false,
      LABEL: label,
      PROFILE_ID: profile,
    })
    const object = new ModelObject(attributesOf(attributes))
    object.id = profile.toString(16).padStart(32, '0')
    return object
  })
