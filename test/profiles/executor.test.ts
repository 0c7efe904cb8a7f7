/** What executes the profile scripts, on a script of our own: it passes, and wrong ones fail. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { general } from '../../src/functions/general.ts'
import { execute } from './execute.ts'
import { openTokenLibrary } from './libraries.ts'
import { readScript } from './script.ts'
import { readXml } from './xml.ts'

const { major, minor } = general.C_GetInfo().cryptokiVersion
const version = `major="${major}" minor="${minor}"`
const own = readFileSync(new URL('own.xml', import.meta.url), 'utf8').replace(
  'major="0" minor="0"/>',
  `${version}/>`,
)

async function run(t: TestContext, source: string) {
  const { initialize, variables } = await openTokenLibrary(t)
  return execute(source, { initialize, variables })
}

test('our own script passes, and every value in it is compared', async (t) => {
  const { calls, comparison } = await run(t, own)
  assert.equal(calls, 19)
  assert.deepEqual(comparison.varied, [])
  assert.equal(comparison.permitted, 2)
  assert.equal(comparison.same, 14)
})

/** What is wrong, the text in its place, and what is said of it. */
const WRONG: readonly (readonly [what: string, right: string, wrong: string, said: RegExp])[] = [
  [
    'return value that should be an error',
    '<C_FindObjects rv="OPERATION_NOT_INITIALIZED"/>',
    '<C_FindObjects rv="OK"><Object/></C_FindObjects>',
    /C_FindObjects is CKR_OPERATION_NOT_INITIALIZED, not CKR_OK/,
  ],
  [
    'return value that should be CKR_OK',
    '<C_DigestInit rv="OK"/>',
    '<C_DigestInit rv="MECHANISM_INVALID"/>',
    /line 126: C_DigestInit is CKR_OK, not CKR_MECHANISM_INVALID/,
  ],
  ['digest', 'f20015ad"', 'f20015ae"', /line 141: C_Digest.Digest is ba7816.*ad, not ba7816.*ae/],
  [
    'length that is needed',
    '<Digest length="32"/>\n  </C_Digest>\n  <C_Digest>',
    '<Digest length="33"/>\n  </C_Digest>\n  <C_Digest>',
    /C_Digest.Digest is 32, not 33/,
  ],
  [
    'flag',
    '<Flags value="DIGEST"/>',
    '<Flags value="DIGEST|SIGN"/>',
    /C_GetMechanismInfo\(SHA256\).Flags is 1024, not DIGEST\|SIGN/,
  ],
  ['version', version, 'major="9" minor="41"', /C_GetInfo.CryptokiVersion is \d.\d+, not 9.41/],
  [
    'field too short for what may vary',
    'a description of our own        "',
    'too short"',
    /C_GetInfo.LibraryDescription is Softoki, a token/,
  ],
  ['list entry', '<SlotID value="1"/>', '<SlotID value="7"/>', /line 41: 7 is not in the list/],
  [
    'number of objects',
    '<Object>\n      <Object value=',
    '<Object><Object value="4711"/><Object value=',
    /C_FindObjects.Objects is 1, not 2/,
  ],
  [
    'label',
    '<Attribute type="LABEL" value="a label"/>\n      <Attribute type="VALUE" length="2"/>',
    '<Attribute type="LABEL" value="no label"/>\n      <Attribute type="VALUE" length="2"/>',
    /C_GetAttributeValue.LABEL is a label, not no label/,
  ],
  [
    'attribute length',
    'type="VALUE" length="2"',
    'type="VALUE" length="3"',
    /C_GetAttributeValue.VALUE is 2, not 3/,
  ],
  [
    'attribute too many',
    '<Attribute type="VALUE" length="2"/>',
    '<Attribute type="VALUE" length="2"/><Attribute type="ID" length="2"/>',
    /3 attributes came back/,
  ],
  [
    'field that the structure lacks',
    '<Flags value="0x0"/>',
    '<Flags value="0x0"/><Model value=""/>',
    /the fields are cryptokiVersion/,
  ],
  [
    'output that there is none of',
    '<C_CloseSession rv="OK"/>',
    '<C_CloseSession rv="OK"><Session value="1"/></C_CloseSession>',
    /C_CloseSession returned no <Session>/,
  ],
  [
    'output that is left out',
    '<C_OpenSession rv="OK">\n    <Session',
    '<C_OpenSession rv="OK">\n    <Other',
    /nothing is said of <Session>/,
  ],
  ['variable that nothing bound', '{Pin}', '{Pine}', /\$\{Pine\} is not bound/],
  [
    'input that there is none of',
    '<UserType value="USER"/>',
    '<UserType value="USER"/><User value="me"/>',
    /C_Login has no <User>/,
  ],
  ['input that is left out', '<UserType value="USER"/>', '', /C_Login lacks its <UserType>/],
  [
    'call before C_Initialize',
    '<C_Initialize/>\n  <C_Initialize rv="OK"/>',
    '',
    /C_GetInfo before C_Initialize/,
  ],
]

for (const [what, right, wrong, said] of WRONG)
  test(`a script with a wrong ${what} fails`, async (t) => {
    assert.equal(own.split(right).length, 2, 'what is to be replaced does not stand there once')
    await assert.rejects(
      run(
        t,
        own.replace(right, () => wrong),
      ),
      said,
    )
  })

test('a variation must hold, and must be one', async (t) => {
  const { initialize, variables } = await openTokenLibrary(t)
  const changed = own.replace(version, 'major="9" minor="41"')
  const where = 'C_GetInfo.CryptokiVersion'
  const given = (value: string) => ({
    initialize,
    variables,
    variations: { [where]: { why: 'it is tried', holds: (told: string) => told === value } },
  })
  const { comparison } = await execute(changed, given(`${major}.${minor}`))
  assert.deepEqual(comparison.varied, [`${where} is ${major}.${minor}, not 9.41: it is tried`])
  await assert.rejects(execute(changed, given('9.39')), /CryptokiVersion is .*, not 9.41/)
  await assert.rejects(execute(own, given('9.39')), /take its variation away/)
})

test('what is no profile script is refused with the line it is on', () => {
  const wrapped = (inside: string) => `<PKCS11>\n${inside}\n</PKCS11>`
  const refused: readonly (readonly [source: string, said: RegExp])[] = [
    ['<Other/>', /line 1: the root is not <PKCS11>/],
    [wrapped('<C_Finalize/>'), /line 2: what C_Finalize returns does not follow/],
    [wrapped('<C_Finalize/><C_Finalize/>'), /line 2: what C_Finalize returns does not follow/],
    [wrapped('<C_Finalize rv="OK"/>'), /line 2: C_Finalize returns without a call/],
    [wrapped('<C_Finalize/><C_GetInfo rv="OK"/>'), /line 2: what C_Finalize returns/],
    [wrapped('<C_Finalize/><C_Finalize rv="FINE"/>'), /line 2: there is no CKR_FINE/],
    [wrapped('<C_Nothing/><C_Nothing rv="OK"/>'), /line 2: there is no function C_Nothing/],
    [wrapped('text'), /line 1: "text" stands in <PKCS11>/],
  ]
  for (const [source, said] of refused) assert.throws(() => readScript(source), said)
})

test('what is no XML of a profile script is refused with the line it is on', () => {
  const refused: readonly (readonly [source: string, said: RegExp])[] = [
    ['', /a document is one element/],
    ['<a/><b/>', /a document is one element/],
    ['text', /a document is one element/],
    ['<a>\n<b>\n</a>', /line 3: <\/a> ends no element that is open/],
    ['<a/>\n</a>', /line 2: <\/a> ends no element/],
    ['<a>\n<b/>', /line 1: <a> has no end/],
    ['<a x="1" x="2"/>', /line 1: x comes twice/],
    ["<a x='1'/>", /line 1: this is no XML of a profile script/],
    ['<a x="&lt;"/>', /line 1: this is no XML/],
    ['<a>&lt;</a>', /line 1: this is no XML/],
    ['<?xml version="1.0"?><a/>', /line 1: this is no XML/],
    ['<!DOCTYPE a><a/>', /line 1: this is no XML/],
    ['<a><![CDATA[x]]></a>', /line 1: this is no XML/],
    ['<!-- a -- b --><a/>', /line 1: this is no XML/],
  ]
  for (const [source, said] of refused) assert.throws(() => readXml(source), said, source)
})
