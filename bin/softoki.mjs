#!/usr/bin/env node
/**
 * Starts the command line. Plain JavaScript that Node 18 and later can read: where the running Node
 * is older than package.json's engines ask for, it hands over to one that fits.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const self = fileURLToPath(import.meta.url)
const root = dirname(dirname(self))
const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Whether a version such as 24.21.0 fits a range made of ^a.b and >=a.b, joined by ||. */
function fits(version, range) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number)
  return range.split('||').some((part) => {
    const [, operator, from, fromMinor] = /^\s*(\^|>=)(\d+)(?:\.(\d+))?/.exec(part) ?? []
    if (major === Number(from)) return minor >= Number(fromMinor ?? 0)
    return operator === '>=' && major > Number(from)
  })
}

/** The program of the npm package `node`, where that is installed. */
function installedNode() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node')
  } catch {
    return undefined
  }
}

function versionOf(node) {
  try {
    return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

function fittingNode() {
  const candidates = [process.env.SOFTOKI_NODE, installedNode()]
  return candidates.find((node) => node && fits(versionOf(node) ?? '0.0', engines.node))
}

/** Node strips no types inside node_modules, so a package installed there runs what tsc made of it. */
function commandLine() {
  const source = join(root, 'src', 'cli', 'main.ts')
  const installed = root.split(sep).includes('node_modules')
  return installed || !existsSync(source) ? join(root, 'dist', 'cli', 'main.js') : source
}

function handOver(node) {
  const child = spawn(node, [self, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'])
    process.on(signal, () => child.kill(signal))
  child.on('error', (error) => fail(`${node} does not start: ${error.message}`))
  child.on('exit', (status, signal) => {
    if (signal === null) process.exit(status)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
    // Where the signal does not end this process, the status says what a shell would.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 1000)
  })
}

function fail(message) {
  process.stderr.write(`softoki: ${message}\n`)
  process.exit(1)
}

/** Node keeps what it compiled, types stripped, for us and for the programs that we start. */
function keepCompiled() {
  process.env.NODE_COMPILE_CACHE ??= join(root, 'native/build/compiled')
  module.enableCompileCache?.(process.env.NODE_COMPILE_CACHE)
}

if (fits(process.version, engines.node)) {
  keepCompiled()
  const { main } = await import(pathToFileURL(commandLine()).href)
  process.exitCode = await main(process.argv.slice(2))
} else {
  const node = fittingNode()
  if (node === undefined)
    fail(
      `needs Node ${engines.node}, this is ${process.version}: ` +
        'install one from https://nodejs.org, or set SOFTOKI_NODE to the path of one',
    )
  handOver(node)
}
