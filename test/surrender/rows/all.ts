/** The rows of every function that surrenders and works. */
import { implemented } from '../../../src/cryptoki.ts'
import type { Row } from '../row.ts'
import { ciphers } from './ciphers.ts'
import { dual } from './dual.ts'
import { keys } from './keys.ts'
import { messages } from './messages.ts'
import { random } from './random.ts'
import { summaries } from './summaries.ts'

export const rows: readonly Row[] = [
  ...ciphers,
  ...summaries,
  ...dual,
  ...keys,
  ...random,
  ...messages,
].filter(({ name }) => implemented.has(name))
