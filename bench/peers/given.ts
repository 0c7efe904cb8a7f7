/** Further peers by the command line: --peer kryoptic=/usr/lib/libkryoptic_pkcs11.so */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { environmentWith } from '../../test/service.ts'
import { moduleSide, NotHere, type Peer } from './peer.ts'
import { initialise } from './server.ts'

/** Kryoptic reads where its token is from this file; others find it in the environment as it is. */
const kryopticIn = (folder: string) =>
  `[[slots]]\nslot = 0\ndbtype = "sqlite"\ndbargs = "${join(folder, 'token.sql')}"\n`

/** A peer whose first slot has a token that may be made anew: it is. */
export const given = (name: string, module: string): Peer => ({
  name,
  async start(place) {
    if (!existsSync(module)) throw new NotHere(`${module} is not there`)
    const folder = join(place.folder, name)
    mkdirSync(folder)
    const configuration = join(folder, 'kryoptic.conf')
    writeFileSync(configuration, kryopticIn(folder))
    const environment = environmentWith({ KRYOPTIC_CONF: configuration })
    return initialise(moduleSide(name, place, module, environment))
  },
})
