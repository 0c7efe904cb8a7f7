/** Ciphers, digests and MACs over data of four sizes. */
import type { Goal, Row } from '../results.ts'
import { small } from './calls.ts'

const SIZES = [
  ['16 B', 16],
  ['1 KiB', 1 << 10],
  ['1 MiB', 1 << 20],
  ['64 MiB', 64 << 20],
] as const
type Size = (typeof SIZES)[number][0]

/** Of so much data a round may hold few calls. */
const LARGE = 1 << 20

const rowsOf = (
  group: string,
  word: string,
  goals: Partial<Record<Size, readonly Goal[]>> = {},
): readonly Row[] =>
  SIZES.map(([name, bytes]) => ({
    group,
    name,
    words: [word, String(bytes)],
    unit: 'time',
    least: bytes > LARGE ? 3 : 10,
    goals: goals[name] ?? [],
  }))

const AHEAD: readonly Goal[] = [{ of: 'SoftHSM2', atMost: 1 }]
const NEAR_OPENSSL: readonly Goal[] = [{ of: 'OpenSSL', atMost: 1.5 }]

export const data: readonly Row[] = [
  ...rowsOf('AES-256-GCM: C_EncryptInit and C_Encrypt', 'gcm', {
    '1 KiB': AHEAD,
    '64 MiB': NEAR_OPENSSL,
  }),
  ...rowsOf('AES-256-CBC: C_EncryptInit and C_Encrypt', 'cbc', { '1 KiB': AHEAD }),
  ...rowsOf('SHA-256: C_DigestInit and C_Digest', 'digest', {
    '16 B': small(2),
    '64 MiB': NEAR_OPENSSL,
  }),
  ...rowsOf('HMAC-SHA-256: C_SignInit and C_Sign', 'mac'),
]
