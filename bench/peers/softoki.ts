/** Softoki: its module, and a service of its own for each side; with shared memory, and by the socket alone. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { COMMAND, COMPILED } from '../../src/service/start.ts'
import {
  childrenOf,
  type Environment,
  environmentWith,
  modulePath,
  root,
} from '../../test/service.ts'
import { OURS } from '../results.ts'
import { moduleSide, type Peer } from './peer.ts'
import { initialise, serve } from './server.ts'

/** The version of the package in a folder. */
export const versionIn = (folder: string): string =>
  (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version

/** `settings` are for the program that loads the module. */
const softokiWith = (name: string, settings: Environment): Peer => ({
  name,
  version: () => versionIn(root),
  async start(place) {
    const home = join(place.folder, name.replaceAll(/\W+/g, '-'))
    mkdirSync(home, { mode: 0o700 })
    writeFileSync(join(home, 'softoki.json'), '{ "logLevel": "warn" }')
    const module = modulePath()
    const environment = environmentWith({ ...COMPILED, SOFTOKI_HOME: home })
    const command = { file: process.execPath, args: COMMAND, environment }
    const service = await serve(place.scope, command, join(home, 'service.sock'))
    const processes = () => [service, ...childrenOf(service)]
    const own = environmentWith({ ...settings, SOFTOKI_HOME: home })
    return initialise(moduleSide(name, place, module, own, { processes }))
  },
})

export const softoki = softokiWith(OURS.usual, {})
export const bySocket = softokiWith(OURS.socket, { SOFTOKI_SHARED_MEMORY: '0' })
