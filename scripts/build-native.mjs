/**
 * Builds the C parts into native/build where they are missing or older than their sources:
 * softoki-openssl.node, the binding to the OpenSSL inside Node (native/openssl), and, where
 * native/module/build.mjs is present, the PKCS #11 module. Plain JavaScript, so that it runs on the
 * Node that installs, which may be older than the one that will run Softoki.
 *
 *   node scripts/build-native.mjs              builds what is not up to date
 *   node scripts/build-native.mjs --sanitize   builds into native/build/sanitized with the address
 *                                              and undefined behaviour sanitizers, and runs the
 *                                              engine's tests on that
 *
 * native/module/build.mjs has a default export: an (async) function that gets the `Build` below.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Ends the build with words for whoever started it. */
class BuildError extends Error {}

const compiler = process.env.CC || 'cc'

const WARNINGS = ['-Wall', '-Wextra', '-Werror']
// Some compilers define _FORTIFY_SOURCE themselves, and complain when it changes.
const HARDENING = ['-O2', '-fstack-protector-strong', '-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=2']
const SANITIZERS = [
  '-O1',
  '-g',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=undefined',
]
// A module finds Node's functions in the program that loads it.
const LINKING =
  process.platform === 'darwin'
    ? ['-bundle', '-undefined', 'dynamic_lookup']
    : ['-shared', '-Wl,-z,now', '-Wl,-z,relro']

/** The Node that will run Softoki: the one the project brings along, else the one that runs this. */
function nodeProgram() {
  const own = join(root, 'node_modules/node/bin/node')
  return existsSync(own) ? own : process.execPath
}

/** Where the C headers of a Node may lie, best first. */
function headerFolders(node) {
  const platform = `node-${process.platform}-${process.arch}`
  const packages = ['node_modules/node/node_modules', 'node_modules'].map((place) =>
    join(root, place, platform),
  )
  return [...packages, dirname(dirname(realpathSync(node)))].map((place) =>
    join(place, 'include/node'),
  )
}

const majorVersion = (folder) =>
  /define NODE_MAJOR_VERSION (\d+)/.exec(readFileSync(join(folder, 'node_version.h'), 'utf8'))?.[1]

/** A Node that was linked against the system's OpenSSL comes without headers of its own for it. */
const headersNeeded = (sharedOpenssl) =>
  sharedOpenssl
    ? ['node_api.h', 'node_version.h']
    : ['node_api.h', 'node_version.h', 'openssl/evp.h']

/** What the Node that will run Softoki says about itself. */
const askNode = (node) =>
  JSON.parse(
    execFileSync(
      node,
      [
        '-p',
        'JSON.stringify([process.versions.node, process.config.variables.node_shared_openssl])',
      ],
      { encoding: 'utf8' },
    ),
  )

/** The folder with the headers of the Node that will run Softoki, OpenSSL's among them. */
export function nodeHeaders() {
  const node = nodeProgram()
  const [version, sharedOpenssl] = askNode(node)
  const found = headerFolders(node).find(
    (folder) =>
      headersNeeded(sharedOpenssl).every((header) => existsSync(join(folder, header))) &&
      majorVersion(folder) === version.split('.')[0],
  )
  if (found) return found
  const next = node.startsWith(root)
    ? '`npm rebuild node` brings them back'
    : "install Node from nodejs.org or with a version manager, or your distribution's package of Node's headers"
  throw new BuildError(
    `the C headers of Node ${version} are not there: ${next}.\nLooked in:\n  ${headerFolders(node).join('\n  ')}`,
  )
}

const newest = (files) => Math.max(...files.map((file) => statSync(file).mtimeMs))

const isUpToDate = (output, inputs) =>
  existsSync(output) && statSync(output).mtimeMs >= newest(inputs)

/** Every .c and .h file of a folder and of the folders in it. */
export const sourcesIn = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sourcesIn(path)
    return /\.[ch]$/.test(entry.name) ? [path] : []
  })

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (error?.code === 'ENOENT')
    throw new BuildError(
      `there is no C compiler \`${command}\`: install one (Debian: apt install build-essential; macOS: xcode-select --install), or name yours in CC`,
    )
  if (error) throw error
  if (status !== 0) throw new BuildError(`\`${command}\` failed while building`)
}

/**
 * Compiles C into a shared object unless it is up to date.
 *   output    the file's name within native/build
 *   folder    the folder with the sources (all .c files, and .h files beside them)
 *   flags     further flags, or a function that answers them (called only when there is work)
 *   sanitize  as for the whole build
 */
export function compile({ output, folder, flags = [], sanitize = false }) {
  const target = join(buildFolder(sanitize), output)
  const sources = sourcesIn(folder)
  if (isUpToDate(target, [...sources, fileURLToPath(import.meta.url)])) return target
  mkdirSync(dirname(target), { recursive: true })
  const more = typeof flags === 'function' ? flags() : flags
  const made = `${target}.${process.pid}`
  run(compiler, [
    '-std=c11',
    '-fPIC',
    '-fvisibility=hidden',
    ...WARNINGS,
    ...(sanitize ? SANITIZERS : HARDENING),
    ...LINKING,
    ...sources.filter((file) => file.endsWith('.c')),
    ...more,
    '-o',
    made,
  ])
  // A process that has the old file loaded keeps it whole.
  renameSync(made, target)
  console.log(`built ${relative(root, target)}`)
  return target
}

/** native/build, or native/build/sanitized. */
export const buildFolder = (sanitize) => join(root, 'native/build', sanitize ? 'sanitized' : '')

const buildBinding = ({ sanitize }) =>
  compile({
    output: 'softoki-openssl.node',
    folder: join(root, 'native/openssl'),
    flags: () => ['-isystem', nodeHeaders()],
    sanitize,
  })

/** @typedef {{ sanitize: boolean, root: string, buildFolder: string, compile: typeof compile }} Build */
async function buildModule(sanitize) {
  const script = join(root, 'native/module/build.mjs')
  if (!existsSync(script)) return
  const { default: build } = await import(pathToFileURL(script).href)
  await build({ sanitize, root, buildFolder: buildFolder(sanitize), compile })
}

/** Runs the engine's tests on the sanitized binding, loaded into an ordinary Node. */
function testSanitized() {
  const library = execFileSync(compiler, ['-print-file-name=libasan.so'], {
    encoding: 'utf8',
  }).trim()
  const tests = 'test/engine/{binding,ciphers,ec,handles,kdfs,key-types,macs,rsa,whole}.test.ts'
  const { status } = spawnSync(nodeProgram(), ['--test', tests], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      SOFTOKI_SANITIZED: '1',
      LD_PRELOAD: realpathSync(library),
      // Node frees nothing when it ends; leaks are looked for by the tests of the binding themselves.
      ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:quarantine_size_mb=1',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    },
  })
  if (status !== 0) throw new BuildError('the tests on the sanitized binding failed')
}

export async function build({ sanitize = false } = {}) {
  buildBinding({ sanitize })
  await buildModule(sanitize)
  if (sanitize) testSanitized()
}

function report(error) {
  if (!(error instanceof BuildError)) throw error
  console.error(`softoki: ${error.message}`)
  process.exitCode = 1
}

// Not awaited: native/module/build.mjs may import this file, and would wait for its end.
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  build({ sanitize: process.argv.includes('--sanitize') }).catch(report)
