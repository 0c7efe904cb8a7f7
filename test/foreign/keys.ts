/** Keys of the token "test" for foreign programs to use. */
import { PIN, runner, type Service, softoki } from '../service.ts'

/** A key pair as softoki generate makes it. */
export interface KeyPair {
  readonly label: string
  /** CKA_ID in hexadecimal. */
  readonly id: string
  readonly type: string
  readonly usage: string
}

export const RSA: KeyPair = { label: 'rsa', id: '01', type: 'rsa:2048', usage: 'sign,decrypt' }
export const EC: KeyPair = { label: 'ec', id: '02', type: 'ec:P-256', usage: 'sign,derive' }

/** The PKCS #11 URI (RFC 7512) of one half of a pair. */
export const uriOf = ({ label }: KeyPair, type: 'private' | 'public') =>
  `pkcs11:token=test;object=${label};type=${type}`

/** Makes both pairs on the token "test". */
export async function generateKeys({ environment }: Service): Promise<void> {
  const generate = runner(process.execPath, environment, softoki, 'generate', '--token', 'test')
  for (const { label, id, type, usage } of [RSA, EC])
    await generate('--label', label, '--id', id, '--type', type, '--usage', usage, '--pin', PIN)
}
