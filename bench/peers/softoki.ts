/** Softoki: its module, and a service of its own for each side. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, environmentWith, modulePath, root } from '../../test/service.ts'
import { moduleSide, type Peer } from './peer.ts'
import { initialise, serve } from './server.ts'

/** The version of the package in a folder. */
export const versionIn = (folder: string): string =>
  (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version

export const softoki: Peer = {
  name: 'Softoki',
  version: () => versionIn(root),
  async start(place) {
    const home = join(place.folder, 'softoki')
    mkdirSync(home, { mode: 0o700 })
    writeFileSync(join(home, 'softoki.json'), '{ "logLevel": "warn" }')
    const environment = environmentWith({ SOFTOKI_HOME: home })
    const module = modulePath()
    const args = [join(root, 'src/service/main.ts')]
    const command = { file: process.execPath, args, environment }
    const service = await serve(place.scope, command, join(home, 'service.sock'))
    const processes = () => [service, ...childrenOf(service)]
    return initialise(moduleSide(this.name, place, module, environment, { processes }))
  },
}
