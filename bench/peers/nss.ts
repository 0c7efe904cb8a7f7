/** NSS softoken, the token of Firefox, with its database in a folder. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { environmentWith } from '../../test/service.ts'
import { libraryOf } from './installed.ts'
import { moduleSide, type Peer } from './peer.ts'
import { initialise } from './server.ts'

export const nss: Peer = {
  name: 'NSS',
  async start(place) {
    const module = libraryOf('libsoftokn3.so')
    const folder = join(place.folder, 'nss')
    mkdirSync(folder)
    const parameters = `configdir='sql:${folder}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=`
    const environment = environmentWith({ BENCH_LIBRARY_PARAMETERS: parameters })
    return initialise(moduleSide(this.name, place, module, environment))
  },
}
