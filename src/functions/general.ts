/** General-purpose functions. PKCS #11 3.2, 5.4. C_Initialize and C_Finalize begin and end an application (cryptoki.ts). */
import type { Implementations } from './implementation.ts'

export const MANUFACTURER = 'Softoki'
export const LIBRARY_VERSION = { major: 0, minor: 1 } as const

export const general = {
  C_GetInfo: () => ({
    cryptokiVersion: { major: 3, minor: 2 },
    manufacturerID: MANUFACTURER,
    flags: 0,
    libraryDescription: 'Softoki, a token that surrenders',
    libraryVersion: LIBRARY_VERSION,
  }),
} satisfies Implementations
