/**
 * opencryptoki's soft token. Its daemon and library know one place each, which only root may use: here
 * both run in namespaces of their own, where folders of the bench lie over those places.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { environmentWith } from '../../test/service.ts'
import { libraryOf, programOf } from './installed.ts'
import { moduleSide, NotHere, type Peer } from './peer.ts'
import { initialise, serve } from './server.ts'

const CONFIGURATION = 'version opencryptoki-3.8\nslot 0\n{\nstdll = libpkcs11_sw.so\n}\n'

/** $1: the folder. Its token shares memory with its programs in /dev/shm, last to be covered. */
const START = `set -e
chgrp -R pkcs11 "$1"
chmod -R g+rwx "$1"
mount --bind "$1/lib" /var/lib/opencryptoki
mount --bind "$1/etc" /etc/opencryptoki
mount --bind "$1/run" /run
mount -t tmpfs tmpfs /dev/shm
exec pkcsslotd -f`

function lay(folder: string): void {
  for (const path of ['lib/swtok/TOK_OBJ', 'etc', 'run/lock/opencryptoki/swtok'])
    mkdirSync(join(folder, path), { recursive: true })
  writeFileSync(join(folder, 'etc/opencryptoki.conf'), CONFIGURATION)
}

export const opencryptoki: Peer = {
  name: 'opencryptoki',
  async start(place) {
    const [unshare, nsenter] = [programOf('unshare'), programOf('nsenter')]
    const module = libraryOf('libopencryptoki.so')
    programOf('pkcsslotd')
    if (process.getuid?.() !== 0) throw new NotHere('its daemon needs root')
    const folder = join(place.folder, 'opencryptoki')
    lay(folder)
    const environment = environmentWith({ PATH: `${process.env.PATH}:/usr/sbin:/sbin` })
    const words = ['--mount', '--ipc', '--propagation', 'private', 'sh', '-c', START, 'sh', folder]
    const command = { file: unshare, args: words, environment }
    const daemon = await serve(place.scope, command, join(folder, 'run/pkcsslotd.socket'))
    const prefix = [nsenter, `--mount=/proc/${daemon}/ns/mnt`, `--ipc=/proc/${daemon}/ns/ipc`]
    const processes = () => [daemon]
    return initialise(moduleSide(this.name, place, module, environment, { prefix, processes }))
  },
}
