/**
 * Builds the PKCS #11 module with the machine's own cc. Plain JavaScript, since it runs at install,
 * on whatever Node there is. scripts/build-native.mjs calls it; by itself:
 * node native/module/build.mjs [--sanitize]
 */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const self = fileURLToPath(import.meta.url)

const WARNINGS = ['-Wall', '-Wextra', '-Werror']
const HARDENING = ['-O2', '-fstack-protector-strong', '-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=2']
const SANITIZERS = [
  '-O1',
  '-g',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=undefined',
]

/**
 * The module's own functions stand in its lists even where the application has others of the same
 * names (-Bsymbolic), and what it needs is there when it is loaded (-z now).
 */
const LINKING = ['-Wl,-Bsymbolic', '-Wl,--gc-sections', '-Wl,-z,now', '-Wl,-z,relro']

/** A sanitizer's own symbols are in the program that loads the module, so they are not asked for. */
const COMPLETE = ['-Wl,-z,defs']

const sourcesIn = (folder) =>
  ['', 'generated', 'include'].flatMap((within) =>
    readdirSync(join(folder, within))
      .filter((name) => /\.[ch]$/.test(name))
      .map((name) => join(folder, within, name)),
  )

/** The Node that is to run the service: the one the project brings along, else this one. */
function nodeProgram(root) {
  const own = join(root, 'node_modules/node/bin/node')
  return existsSync(own) ? own : process.execPath
}

/** A C string literal. What a path can hold, JSON escapes as C does. */
const literal = (text) => JSON.stringify(text)

function optionsFor({ root, node, service, sanitize }) {
  const folder = join(root, 'native/module')
  return [
    '-std=c11',
    '-D_GNU_SOURCE',
    `-DSOFTOKI_NODE=${literal(resolve(node ?? nodeProgram(root)))}`,
    `-DSOFTOKI_SERVICE=${literal(resolve(service ?? join(root, 'src/service/main.ts')))}`,
    `-DSOFTOKI_COMPILED=${literal(resolve(join(root, 'native/build/compiled')))}`,
    `-I${folder}`,
    `-I${join(folder, 'generated')}`,
    ...WARNINGS,
    ...(sanitize ? SANITIZERS : HARDENING),
    '-fPIC',
    '-fvisibility=hidden',
    '-ffunction-sections',
    '-pthread',
    '-shared',
    ...LINKING,
    ...(sanitize ? [] : COMPLETE),
  ]
}

/** Whether the file was built with these options from sources that are no newer. */
function isUpToDate(target, options, sources) {
  const record = `${target}.options`
  if (!existsSync(target) || !existsSync(record)) return false
  const built = statSync(target).mtimeMs
  return (
    readFileSync(record, 'utf8') === options.join('\n') &&
    [...sources, self].every((source) => statSync(source).mtimeMs <= built)
  )
}

/**
 * Builds libsoftoki-pkcs11.so where it is missing, older than a source, or built with other options;
 * answers its path.
 *
 * - `root`: the project's folder.
 * - `node`: the binary that runs the service; otherwise the project's own, else the one running this.
 * - `service`: the script it runs; otherwise src/service/main.ts in `root`.
 * - `sanitize`: with the address and undefined behaviour sanitizers.
 * - `buildFolder`: where to; otherwise native/build, or native/build/sanitized.
 */
export default function build({ root, node, service, sanitize = false, buildFolder }) {
  const folder = buildFolder ?? join(root, 'native/build', sanitize ? 'sanitized' : '')
  const target = join(folder, 'libsoftoki-pkcs11.so')
  const sources = sourcesIn(join(root, 'native/module'))
  const options = optionsFor({ root, node, service, sanitize })
  if (isUpToDate(target, options, sources)) return target

  mkdirSync(dirname(target), { recursive: true })
  const made = `${target}.${process.pid}`
  const compiled = sources.filter((source) => source.endsWith('.c'))
  execFileSync(process.env.CC || 'cc', [...options, ...compiled, '-o', made], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  writeFileSync(`${target}.options`, options.join('\n'))
  // A process that has the old file loaded keeps it whole.
  renameSync(made, target)
  return target
}

if (process.argv[1] && realpathSync(process.argv[1]) === self) {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  console.log(build({ root, sanitize: process.argv.includes('--sanitize') }))
}
