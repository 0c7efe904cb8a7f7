/** What the bench measures: a peer, and the side it puts up for one run. */
import type { Environment, Scope } from '../../test/service.ts'

/** The PINs of every token; opencryptoki takes 8 characters at most and its own first PIN of the SO. */
export const PIN = '52715271'
export const SO_PIN = '87654321'

/** A program with its words and environment. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly environment: Environment
}

/** A peer with a token of its own, ready to be measured. */
export interface Side {
  readonly name: string
  /** The command that measures `words`: MILLISECONDS LEAST WORK [WORD...], as bench/client/main.c has them. */
  command(words: readonly string[]): Command
  /** Processes that work for it beside the one that loads the module. */
  processes(): readonly number[]
}

/** What a peer is given to put up a side. */
export interface Place {
  readonly scope: Scope
  /** The compiled bench/client. */
  readonly client: string
  /** A folder that holds the side's token; in memory or on the disk. */
  readonly folder: string
}

export interface Peer {
  readonly name: string
  /** Of what is measured, where its module cannot tell. */
  version?(): string
  /** Rejects with NotHere where the peer is not installed or cannot run. */
  start(place: Place): Promise<Side>
}

/** Why a peer takes no part. */
export class NotHere extends Error {}

/** A side whose module is loaded by the client; `prefix` are words before the client's own path. */
export const moduleSide = (
  name: string,
  { client }: Place,
  module: string,
  environment: Environment,
  { prefix = [], processes = () => [] }: ModuleOptions = {},
): Side => ({
  name,
  processes,
  command(words) {
    const [file, ...args] = [...prefix, client, module, PIN, ...words] as [string, ...string[]]
    return { file, args, environment }
  },
})

interface ModuleOptions {
  readonly prefix?: readonly string[]
  readonly processes?: () => readonly number[]
}
