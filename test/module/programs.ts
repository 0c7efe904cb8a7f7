/** Builds the module and the C programs that try it, and runs them. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import build from '../../native/module/build.mjs'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** SOFTOKI_SANITIZE=1 runs every test on a module and programs with ASan and UBSan. */
export const sanitize = process.env.SOFTOKI_SANITIZE === '1'

const p11Kit = '/usr/include/p11-kit-1/p11-kit'

/** The folder with p11-kit's pkcs11.h, where that is installed. */
export const P11_KIT: string | undefined = existsSync(p11Kit) ? p11Kit : undefined

export const SANITIZERS = ['-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined']
const folder = join(root, 'native/build/test', sanitize ? 'sanitized' : '')
mkdirSync(folder, { recursive: true })

/** The path of the module; `service` and `node` are compiled in, elsewhere than the usual one. */
export function modulePath(compiledIn?: { name: string; service: string; node?: string }): string {
  if (compiledIn === undefined) return build({ root, sanitize })
  const { name, ...paths } = compiledIn
  return build({ root, sanitize, buildFolder: join(folder, 'modules', name), ...paths })
}

export interface Source {
  /** A C file of this folder, or the path of a generated one. */
  readonly file: string
  readonly include?: string
  readonly name?: string
}

/** Compiles a program; answers its path. */
export function compiled({ file, include, name = basename(file, '.c') }: Source): string {
  const source = file.includes('/') ? file : join(root, 'test/module', file)
  const program = join(folder, name)
  execFileSync('cc', [
    ...['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-O1'],
    ...(sanitize ? SANITIZERS : []),
    `-I${include ?? join(root, 'native/module/generated')}`,
    `-I${join(root, 'native/module/include')}`,
    `-I${join(root, 'test/module')}`,
    ...['-pthread', '-o', program, source, '-ldl'],
  ])
  return program
}

const run = promisify(execFile)

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, on the service of `home`. Its first argument is the module. */
export async function ran(
  program: string,
  home: string,
  args: readonly string[] = [],
  { module = modulePath(), env = {} }: { module?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  const options = {
    env: { PATH: process.env.PATH, HOME: home, SOFTOKI_HOME: home, ...env },
    timeout: 60_000,
    maxBuffer: 1 << 26,
  }
  try {
    const { stdout, stderr } = await run(program, [module, ...args], options)
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr, signal } = error as Ran & { signal?: string }
    if (stdout === undefined) throw error
    return {
      code: typeof code === 'number' ? code : -1,
      stdout,
      stderr: `${stderr}${signal ?? ''}`,
    }
  }
}
