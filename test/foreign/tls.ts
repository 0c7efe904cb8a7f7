/** TLS between foreign programs, on 127.0.0.1 only. */
import type { TestContext } from 'node:test'
import { type Environment, type Program, type Runner, start } from '../service.ts'

/** The options of openssl for one version each. */
export const VERSIONS = ['-tls1_2', '-tls1_3']

/** What a client says; the server answers it as in HEARD, and ends the connection. */
export const SAID = 'softoki\nCLOSE\n'
export const HEARD = /(ikotfos)/

export interface TlsServer {
  readonly program: Program
  readonly port: string
}

/** Starts `openssl s_server` with these words, for one connection. */
export async function startTlsServer(
  t: TestContext,
  openssl: string,
  environment: Environment,
  words: readonly string[],
): Promise<TlsServer> {
  const always = ['s_server', '-accept', '127.0.0.1:0', '-naccept', '1', '-rev']
  const program = start(t, openssl, [...always, ...words], environment)
  return { program, port: await program.matched(/ACCEPT 127\.0\.0\.1:(\d+)\n/) }
}

/** The words of a server that admits only clients with a certificate that one of `authorities` signed. */
export const demanding = (server: { key: string; certificate: string }, authorities: string) => [
  ...['-key', server.key, '-cert', server.certificate],
  ...['-Verify', '1', '-verify_return_error', '-CAfile', authorities],
]

/** Makes a key and a self-signed certificate for 127.0.0.1 in two files. */
export async function makeServerCertificate(openssl: Runner, file: (name: string) => string) {
  const made = { key: file('server.key'), certificate: file('server.pem') }
  await openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'],
    ...['-keyout', made.key, '-out', made.certificate],
  )
  return made
}
