/** The yardstick: the system's libcrypto in a program of its own, without any token. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { compile, environmentWith, root } from '../../test/service.ts'
import { NotHere, type Peer } from './peer.ts'

export const openssl: Peer = {
  name: 'OpenSSL',
  async start({ scope }) {
    if (!existsSync('/usr/include/openssl/evp.h')) throw new NotHere('libssl-dev is not installed')
    const program = compile(scope, join(root, 'bench/client/openssl.c'), '-lcrypto')
    return {
      name: this.name,
      processes: () => [],
      command: (args) => ({ file: program, args, environment: environmentWith({}) }),
    }
  },
}
