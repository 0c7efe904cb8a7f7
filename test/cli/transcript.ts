/** Scripts for the command line with what they are to print, as one would see it in a shell. */
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Environment, emptyHome, run, softoki } from '../service.ts'

/** Stands for a serial number or an id, of the same length. */
const DIGITS = '<sixteen digits>'

/** An empty home whose PATH has `softoki` on the Node that runs the tests. */
export function shellHome(t: TestContext, settings: Environment = {}) {
  const environment = emptyHome(t, settings)
  const folder = join(dirname(environment.SOFTOKI_HOME), 'bin')
  mkdirSync(folder)
  symlinkSync(softoki, join(folder, 'softoki'))
  symlinkSync(process.execPath, join(folder, 'node'))
  return { ...environment, PATH: `${folder}${delimiter}${process.env.PATH}`, FOLDER: folder }
}

/** What a command printed: standard output, standard error after `! `, a status other than 0 in brackets. */
async function printed(command: string, environment: Environment): Promise<string> {
  const { stdout, stderr, status, signal } = await run(
    'sh',
    ['-c', `cd "$FOLDER"; ${command}`],
    environment,
  )
  const lines = stderr.split('\n').filter((line) => line !== '')
  const end = status === 0 ? '' : `[${signal ?? status}]\n`
  return `${stdout}${lines.map((line) => `! ${line}\n`).join('')}${end}`.replaceAll(
    /\b[0-9a-f]{16}\b/g,
    DIGITS,
  )
}

/** Runs the lines that begin with `$ ` and compares all that is printed with the script. */
export async function transcript(environment: Environment, script: string): Promise<void> {
  const expected = `${script.trim()}\n`.replaceAll(/\n+(?=\$ )/g, '\n')
  let actual = ''
  for (const [line, command] of expected.matchAll(/^\$ (.*)$/gm))
    actual += `${line}\n${await printed(command as string, environment)}`
  assert.equal(actual, expected)
}
