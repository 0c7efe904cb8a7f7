/** Tokens as the published scripts expect them. */
import { contextTag, DerReader } from '../../src/engine/der.ts'
import type { Application, FunctionName } from '../../src/standard/calls.ts'
import { CKC, CKF, CKK, CKM, CKO, CKU } from '../../src/standard/constants.ts'
import { label, PIN, SO_PIN, template } from '../in-process.ts'
import { readScript } from './script.ts'
import { childNamed } from './variables.ts'
import type { Element } from './xml.ts'

const RW = CKF.SERIAL_SESSION | CKF.RW_SESSION

/** Puts things on a token, in a session whose user is logged in. */
export type Prepare = (application: Application, session: number) => Promise<void>

/** Makes the token in slot 0, prepares it, and ends the application. */
export async function makeToken(application: Application, prepare: Prepare): Promise<void> {
  await application.call('C_InitToken', [0, SO_PIN, label('token1')])
  const session = await application.call('C_OpenSession', [0, RW, false])
  await application.call('C_Login', [session, CKU.SO, SO_PIN])
  await application.call('C_InitPIN', [session, PIN])
  await application.call('C_Logout', [session])
  await application.call('C_Login', [session, CKU.USER, PIN])
  await prepare(application, session)
  await application.close()
}

/** The values that a script has for what a function returned, or was given. */
function published(source: string, name: FunctionName, from: 'inputs' | 'outputs', item: string) {
  const elements = readScript(source).flatMap((call) => (call.name === name ? [call[from]] : []))
  const isOf = (element: Element) =>
    element.name === item || element.attributes.get('type') === item
  const within = elements.flatMap((element) => [
    ...element.children,
    ...(childNamed(element, 'Template')?.children ?? []),
  ])
  return within.flatMap((element) => (isOf(element) ? (element.attributes.get('value') ?? []) : []))
}

function onlyOne([value, ...more]: readonly string[]): Buffer {
  if (value === undefined || more.length > 0) throw new Error('the script has not exactly one')
  return Buffer.from(value, 'hex')
}

/** What AUTH tells of its key: the public key, and a signature of the private one over data. */
export interface PublishedKey {
  readonly modulus: Buffer
  readonly exponent: Buffer
  readonly data: Buffer
  readonly signature: Buffer
}

export const publishedKey = (source: string): PublishedKey => ({
  modulus: onlyOne(published(source, 'C_GetAttributeValue', 'outputs', 'MODULUS')),
  exponent: onlyOne(published(source, 'C_GetAttributeValue', 'outputs', 'PUBLIC_EXPONENT')),
  data: onlyOne(published(source, 'C_Sign', 'inputs', 'Data')),
  signature: onlyOne(published(source, 'C_Sign', 'outputs', 'Signature')),
})

const publicKeyTemplate = ({ modulus, exponent }: PublishedKey) => ({
  CLASS: CKO.PUBLIC_KEY,
  KEY_TYPE: CKK.RSA,
  TOKEN: true,
  VERIFY: true,
  LABEL: 'testrsa-pub',
  MODULUS: modulus,
  PUBLIC_EXPONENT: exponent,
})

/**
 * AUTH: the published public key, and a private key of our own, since the published one is not
 * told. `keep` gets the modulus of that.
 */
export const authentication =
  (key: PublishedKey, keep: (modulus: Uint8Array) => void): Prepare =>
  async (application, session) => {
    await application.call('C_CreateObject', [session, template(publicKeyTemplate(key))])
    const [ours] = await application.call('C_GenerateKeyPair', [
      session,
      { type: CKM.RSA_PKCS_KEY_PAIR_GEN, parameter: null },
      template({ MODULUS_BITS: key.modulus.length * 8, PUBLIC_EXPONENT: key.exponent }),
      template({ TOKEN: true, PRIVATE: true, SIGN: true, LABEL: 'testrsa-pri' }),
    ])
    const asked = { type: template({ MODULUS: '' })[0]?.type as number, room: key.modulus.length }
    const { answers } = await application.call('C_GetAttributeValue', [session, ours, [asked]])
    keep(answers[0]?.value as Uint8Array)
  }

/** The subject of an X.509 certificate, DER: the sixth of the TBSCertificate's elements (RFC 5280, 4.1). */
function subjectOf(certificate: Uint8Array): Uint8Array {
  const body = new DerReader(certificate).within().within()
  body.read(contextTag(0))
  body.integer()
  for (const before of ['signature', 'issuer', 'validity'])
    if (body.element().length === 0) throw new Error(`the certificate has no ${before}`)
  return body.element()
}

/**
 * CERT: five public token objects. The first has the label that is published, with the zero behind
 * it that its published length counts; the second is the published certificate.
 */
export const certificates =
  (source: string): Prepare =>
  async (application, session) => {
    const value = onlyOne(published(source, 'C_GetAttributeValue', 'outputs', 'VALUE'))
    const [name] = published(source, 'C_GetAttributeValue', 'outputs', 'LABEL')
    const list = { CLASS: CKO.DATA, TOKEN: true, PRIVATE: false, LABEL: `${name}\0` }
    const certificate = (text: string) => ({
      CLASS: CKO.CERTIFICATE,
      CERTIFICATE_TYPE: CKC.X_509,
      TOKEN: true,
      PRIVATE: false,
      SUBJECT: subjectOf(value),
      VALUE: value,
      LABEL: text,
    })
    const objects = [list, ...['one', 'two', 'three', 'four'].map(certificate)]
    for (const object of objects)
      await application.call('C_CreateObject', [session, template(object)])
  }
