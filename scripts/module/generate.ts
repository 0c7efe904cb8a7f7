/**
 * Writes native/module/generated/{pkcs11.h,functions.c,return-values.c} from src/standard. With --check it writes
 * nothing and fails where a file differs from what would be written.
 */
import { readFileSync } from 'node:fs'
import { emit } from '../emit.ts'
import type { Standard } from '../standard/tables.ts'
import { functionBodies, type Version } from './bodies.ts'
import { header } from './header.ts'
import { returnValues } from './return-values.ts'

/** The newest function list that the module offers. Each older one is offered with it. */
const OFFERED: Version = '3.2'

const standard = JSON.parse(
  readFileSync(new URL('../../src/standard/standard.json', import.meta.url), 'utf8'),
) as Standard
const folder = new URL('../../native/module/generated/', import.meta.url)

emit([
  [new URL('pkcs11.h', folder), header(standard)],
  [new URL('functions.c', folder), functionBodies(standard, OFFERED)],
  [new URL('return-values.c', folder), returnValues(standard)],
])
