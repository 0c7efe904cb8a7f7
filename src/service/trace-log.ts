/** SOFTOKI_LOG: where the lines about calls go. The module reads it by the same rule (native/module/log.c). */

import { openSync, writeSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { Say } from '../functions/trace.ts'
import { type Environment, SetupError } from './home.ts'

const STDERR = 2

/** The descriptor to write to, opened where SOFTOKI_LOG names a file; undefined where it is not set. Throws a SetupError. */
export function logDescriptor(env: Environment = process.env): number | undefined {
  const text = env.SOFTOKI_LOG ?? ''
  if (text === '' || text === '0') return undefined
  if (text === '1' || text === 'stderr') return STDERR
  const wrong = (why: string) =>
    new SetupError(
      `SOFTOKI_LOG is "${text}" (${why}): set it to 1, or to the absolute path of a file that can be written`,
    )
  if (!isAbsolute(text)) throw wrong('no absolute path')
  try {
    return openSync(text, 'a', 0o600)
  } catch (error) {
    throw wrong((error as NodeJS.ErrnoException).code ?? 'not opened')
  }
}

/** Writes lines where SOFTOKI_LOG says; undefined where it is not set. Throws a SetupError. */
export function traceLog(env: Environment = process.env): Say | undefined {
  const descriptor = logDescriptor(env)
  if (descriptor === undefined) return undefined
  return (line) => {
    try {
      writeSync(descriptor, `softoki[${process.pid}]: ${line}\n`)
    } catch {
      // A log that cannot be written is no reason to fail a call.
    }
  }
}
