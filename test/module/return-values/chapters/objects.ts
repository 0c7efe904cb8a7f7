/** Object management functions. 5.7. */
import { CKA, CKK, CKO } from '../../../../src/standard/constants.ts'
import { template } from '../../../in-process.ts'
import type { Chapter } from '../cases.ts'
import { HUGE, NO_CURVE, POINT, UNKNOWN_CURVE } from '../objects.ts'

const anything = template({ CLASS: CKO.DATA, PRIVATE: false, LABEL: 'anything' })
const renamed = template({ LABEL: 'another name' })
const twoNames = [...renamed, ...template({ LABEL: 'and another' })]

const onCurve = (parameters: Uint8Array) =>
  template({
    CLASS: CKO.PUBLIC_KEY,
    KEY_TYPE: CKK.EC,
    PRIVATE: false,
    EC_PARAMS: parameters,
    EC_POINT: POINT,
  })

export const objects: Chapter = {
  C_CreateObject: {
    with: { template: anything },
    cases: [
      { rv: 'TEMPLATE_INCOMPLETE', with: { template: renamed } },
      { rv: 'TEMPLATE_INCONSISTENT', with: { template: [...anything, ...renamed] } },
      { rv: 'CURVE_NOT_SUPPORTED', with: { template: onCurve(UNKNOWN_CURVE) } },
      { rv: 'DOMAIN_PARAMS_INVALID', with: { template: onCurve(NO_CURVE) } },
    ],
  },
  C_CopyObject: {
    with: { object: 'data', template: renamed },
    cases: [
      { rv: 'ACTION_PROHIBITED', with: { object: 'uncopyable' } },
      { rv: 'TEMPLATE_INCONSISTENT', with: { template: twoNames } },
    ],
  },
  C_DestroyObject: {
    first: ['C_CreateObject'],
    with: { object: { from: 'C_CreateObject' } },
    cases: [
      { rv: 'ACTION_PROHIBITED', with: { object: 'indestructible' } },
      { rv: 'SESSION_READ_ONLY', readOnly: true, with: { object: 'lasting' } },
    ],
  },
  C_GetObjectSize: { with: { object: 'data' } },
  C_GetAttributeValue: {
    with: { object: 'data', template: [{ type: CKA.VALUE, room: 16 }] },
    cases: [
      { rv: 'ATTRIBUTE_SENSITIVE', with: { object: 'sensitive' } },
      { rv: 'ATTRIBUTE_TYPE_INVALID', with: { template: [{ type: CKA.MODULUS, room: 16 }] } },
      { rv: 'BUFFER_TOO_SMALL', with: { template: [{ type: CKA.VALUE, room: 15 }] } },
      {
        rv: 'DEVICE_MEMORY',
        with: { object: 'huge', template: Array(2).fill({ type: CKA.VALUE, room: HUGE }) },
      },
    ],
  },
  C_SetAttributeValue: {
    first: ['C_CreateObject'],
    with: { object: { from: 'C_CreateObject' }, template: renamed },
    cases: [
      { rv: 'ACTION_PROHIBITED', with: { object: 'unmodifiable' } },
      { rv: 'SESSION_READ_ONLY', readOnly: true, with: { object: 'lasting' } },
      { rv: 'TEMPLATE_INCONSISTENT', with: { template: twoNames } },
    ],
  },
  C_FindObjectsInit: {
    with: { template: renamed },
    cases: [
      { rv: 'ATTRIBUTE_VALUE_INVALID', with: { template: { words: `[ ${CKA.LABEL} 0 5 ] 1` } } },
    ],
  },
  C_FindObjects: { first: ['C_FindObjectsInit'] },
  C_FindObjectsFinal: { first: ['C_FindObjectsInit'] },
}
