/** In Node: our library in the process of the program, and pkcs11js with SoftHSM2. */
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { environmentWith, root } from '../../test/service.ts'
import { NotHere, type Peer } from './peer.ts'
import { softhsm } from './softhsm.ts'
import { versionIn } from './softoki.ts'

const program = (name: string) => join(root, 'bench/node', name)

export const nodeApi: Peer = {
  name: 'Softoki in Node',
  version: () => versionIn(root),
  async start({ folder }) {
    const store = join(folder, 'node-api')
    mkdirSync(store)
    const first = [program('in-process.ts'), join(store, 'tokens.db')]
    return {
      name: this.name,
      processes: () => [],
      command: (words) => ({
        file: process.execPath,
        args: [...first, ...words],
        environment: environmentWith({}),
      }),
    }
  },
}

/** test/foreign/node has pkcs11js once `npm ci --prefix test/foreign/node` has run. */
function requirePkcs11js(): void {
  try {
    createRequire(join(root, 'test/foreign/node/pkcs11js.mjs'))('pkcs11js')
  } catch {
    throw new NotHere('pkcs11js is not installed: npm ci --prefix test/foreign/node')
  }
}

export const pkcs11js: Peer = {
  name: 'pkcs11js + SoftHSM2',
  version: () => `pkcs11js ${versionIn(join(root, 'test/foreign/node/node_modules/pkcs11js'))}`,
  async start(place) {
    requirePkcs11js()
    const side = await softhsm.start({ ...place, folder: join(place.folder, 'pkcs11js') })
    const first = [program('pkcs11js.ts')]
    return {
      name: this.name,
      processes: () => [],
      command(words) {
        const { args, environment } = side.command(words)
        return { file: process.execPath, args: [...first, ...args], environment }
      },
    }
  },
}
