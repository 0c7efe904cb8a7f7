/**
 * The profile objects of every token: which of the OASIS PKCS #11 Profiles it implements, those whose
 * conformance scripts it runs (test/profiles). The token makes them and stores none of them. PKCS #11
 * 3.2, 4.14.
 */
import { CKA, CKO, CKP } from '../standard/constants.ts'
import { create } from './creation.ts'
import type { CryptokiObject } from './object.ts'
import { encodeFlat } from './values.ts'

/** CKP_ numbers and labels. Complete Provider is not there: it asks for every mechanism. */
const profiles: readonly (readonly [id: number, label: string])[] = [
  [CKP.BASELINE_PROVIDER, 'Baseline Provider'],
  [CKP.EXTENDED_PROVIDER, 'Extended Provider'],
  [CKP.AUTHENTICATION_TOKEN, 'Authentication Token'],
  [CKP.PUBLIC_CERTIFICATES_TOKEN, 'Public Certificates Token'],
]

/** An id that no other object of a token has, since theirs are random: the number of the profile. */
const idOf = (profile: number): string => profile.toString(16).padStart(32, '0')

function profileObject(profile: number, label: string): CryptokiObject {
  const template = [
    { type: CKA.CLASS, value: encodeFlat(CKO.PROFILE) },
    { type: CKA.LABEL, value: new TextEncoder().encode(label) },
    { type: CKA.PROFILE_ID, value: encodeFlat(profile) },
  ]
  return {
    id: idOf(profile),
    version: 1,
    attributes: create('token', template, {}, { so: false }),
  }
}

/** Objects that belong to every token, by id. They are public, and nobody changes, copies or destroys them. */
export const builtInObjects: ReadonlyMap<string, CryptokiObject> = new Map(
  profiles.map(([profile, label]) => [idOf(profile), profileObject(profile, label)]),
)
