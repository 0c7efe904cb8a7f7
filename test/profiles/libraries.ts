/** Where a script runs: a library in this process, or a service behind a socket. */
import { join } from 'node:path'
import { openLibrary } from '../../src/cryptoki.ts'
import type { Application } from '../../src/standard/calls.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { connect } from '../../src/wire/client.ts'
import { CHEAP_PIN, PIN } from '../in-process.ts'
import { type Scope, startService, temporaryFolder } from '../service.ts'
import type { Execution } from './execute.ts'
import { makeToken, type Prepare } from './tokens.ts'

type Opened = Required<Pick<Execution, 'initialize' | 'variables'>>

/** Opens something with a prepared token in slot 0. */
export type Open = (t: Scope, prepare?: Prepare) => Promise<Opened>

async function opened(initialize: () => Promise<Application>, prepare: Prepare): Promise<Opened> {
  await makeToken(await initialize(), prepare)
  return { initialize, variables: { Pin: PIN.toString() } }
}

const nothing: Prepare = async () => {}

/** A library in this process. */
export const openTokenLibrary: Open = async (t, prepare = nothing) => {
  const file = join(temporaryFolder(t), 'tokens.db')
  const store = await openSqliteStore(file)
  const library = await openLibrary({ store, pinCost: CHEAP_PIN })
  t.after(() => library.close())
  return opened(async () => library.open('a profile script'), prepare)
}

/** A service of its own, and clients that speak its protocol. */
export const openTokenService: Open = async (t, prepare = nothing) => {
  const { home } = await startService(t)
  return opened(() => connect(join(home, 'service.sock'), 'a profile script'), prepare)
}
