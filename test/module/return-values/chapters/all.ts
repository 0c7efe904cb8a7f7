/** Every function of 2.40 with its usual call and its own cases. */
import type { FunctionName } from '../../../../src/standard/calls.ts'
import { type FunctionRow, functions } from '../../../../src/standard/functions.ts'
import type { Row } from '../cases.ts'
import { ciphers } from './ciphers.ts'
import { dual } from './dual.ts'
import { general } from './general.ts'
import { keys, parallel, random } from './keys.ts'
import { objects } from './objects.ts'
import { sessions } from './sessions.ts'
import { slots } from './slots.ts'
import { digesting, signing, verifying } from './summaries.ts'

const rows: Readonly<Partial<Record<FunctionName, Row>>> = {
  ...general,
  ...slots,
  ...sessions,
  ...objects,
  ...ciphers,
  ...digesting,
  ...signing,
  ...verifying,
  ...dual,
  ...keys,
  ...random,
  ...parallel,
}

/** The functions of 2.40 in their order. */
export const names2_40 = (Object.keys(functions) as FunctionName[]).filter(
  (name) => functions[name].since === '2.40',
)

export function rowOf(name: FunctionName): Row {
  const row = rows[name]
  if (row === undefined) throw new TypeError(`${name} is in no chapter`)
  return row
}

export const returnsOf = (name: FunctionName): readonly string[] =>
  (functions[name] as FunctionRow).returns
