/** General-purpose functions. 5.4. */
import type { Chapter } from '../cases.ts'

export const general: Chapter = {
  C_Initialize: {},
  C_Finalize: {},
  C_GetInfo: {},
  C_GetFunctionList: {},
}
