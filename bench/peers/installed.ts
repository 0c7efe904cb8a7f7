/** Looks for what a peer needs, where Linux distributions put such things. */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { NotHere } from './peer.ts'

const MACHINE =
  { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch as string] ?? ''
const LIBRARIES = [`/usr/lib/${MACHINE}`, '/usr/lib64', '/usr/lib', '/usr/local/lib']
const PROGRAMS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']

const isExecutable = (path: string) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path of a shared object, or NotHere. */
export function libraryOf(name: string): string {
  const paths = LIBRARIES.flatMap((folder) =>
    ['', 'pkcs11', 'softhsm'].map((within) => join(folder, within, name)),
  )
  const path = paths.find((path) => existsSync(path))
  if (path === undefined) throw new NotHere(`${name} is not installed`)
  return path
}

/** The path of a program, or NotHere. */
export function programOf(name: string): string {
  const path = PROGRAMS.map((folder) => join(folder, name)).find(isExecutable)
  if (path === undefined) throw new NotHere(`${name} is not installed`)
  return path
}
