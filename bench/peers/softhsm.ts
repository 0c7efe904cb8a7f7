/** SoftHSM2 with its token in files, in the process of the client; and through p11-kit's remoting. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, type Environment, environmentWith } from '../../test/service.ts'
import { libraryOf, programOf } from './installed.ts'
import { moduleSide, type Peer, type Place } from './peer.ts'
import { initialise, serve } from './server.ts'

/** An environment in which SoftHSM2 keeps its tokens in `folder`. */
function softhsmIn(folder: string): Environment {
  const configuration = join(folder, 'softhsm2.conf')
  const tokens = join(folder, 'tokens')
  mkdirSync(tokens, { recursive: true })
  writeFileSync(configuration, `directories.tokendir = ${tokens}\nlog.level = ERROR\n`)
  return environmentWith({ SOFTHSM2_CONF: configuration })
}

export const softhsm: Peer = {
  name: 'SoftHSM2',
  start: async (place) => {
    const environment = softhsmIn(join(place.folder, 'softhsm'))
    return initialise(moduleSide('SoftHSM2', place, libraryOf('libsofthsm2.so'), environment))
  },
}

/** The same SoftHSM2 in a process of its own, as Softoki is: what remoting alone costs. */
export const remoting: Peer = {
  name: 'p11-kit + SoftHSM2',
  async start(place: Place) {
    const file = programOf('p11-kit')
    const client = libraryOf('p11-kit-client.so')
    const provider = libraryOf('libsofthsm2.so')
    const folder = join(place.folder, 'remoting')
    const environment = softhsmIn(folder)
    await initialise(moduleSide(this.name, place, provider, environment))
    const socket = join(folder, 'p11-kit.sock')
    const args = ['server', '-f', '-n', socket, '--provider', provider, 'pkcs11:token=bench']
    const server = await serve(place.scope, { file, args, environment }, socket)
    const processes = () => [server, ...childrenOf(server)]
    const remote = { ...environment, P11_KIT_SERVER_ADDRESS: `unix:path=${socket}` }
    return moduleSide(this.name, place, client, remote, { processes })
  },
}
