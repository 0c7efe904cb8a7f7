import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { FurtherKeys, Mechanism } from '../../src/mechanisms/mechanism.ts'
import { structuresIn, templateIn } from '../../src/mechanisms/parameter.ts'
import { mechanisms } from '../../src/mechanisms/table.ts'
import type { MechanismArgument, Parameter } from '../../src/standard/calls.ts'
import { CKA, CKK, CKO } from '../../src/standard/constants.ts'
import { answers, bytes, type Opened, openToken, template } from '../in-process.ts'

/** A mechanism that is in no standard, with the parameter of SP 800-108: each key is its number, again and again. */
const COUNTING = 0x80000001
/** The same without a key for the template of C_DeriveKey. */
const WITHOUT_OWN = 0x80000002

const furtherKeys =
  (besides: boolean) =>
  (mechanism: MechanismArgument): FurtherKeys => {
    return {
      besides,
      templates: structuresIn(mechanism, 'additionalDerivedKeys').map((key) =>
        templateIn(key, 'template'),
      ),
      handles: (handles) => ({
        additionalDerivedKeys: handles.map((key): Parameter => (key === undefined ? {} : { key })),
      }),
    }
  }

const row = (type: number, besides: boolean): Mechanism => ({
  type,
  name: `COUNTING_${type}`,
  section: '6.42',
  keyTypes: [CKK.GENERIC_SECRET],
  keySize: [1, 64],
  parameter: 'CK_SP800_108_KDF_PARAMS',
  derive: (_base, { template: own, further = [] }) =>
    (besides ? [own, ...further] : further).map(
      (asked, at) => new Map([[CKA.VALUE, Buffer.alloc(Number(asked.get(CKA.VALUE_LEN)), at)]]),
    ),
  furtherKeys: furtherKeys(besides),
})

const table = mechanisms as Map<number, Mechanism>
before(() => {
  table.set(COUNTING, row(COUNTING, true))
  table.set(WITHOUT_OWN, row(WITHOUT_OWN, false))
})
after(() => {
  table.delete(COUNTING)
  table.delete(WITHOUT_OWN)
})

type Named = Parameters<typeof template>[0]

const GENERIC = { CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.GENERIC_SECRET } as const

const baseKey = ({ call, session }: Opened) =>
  call('C_CreateObject', [
    session,
    template({ ...GENERIC, VALUE: Buffer.alloc(16, 9), DERIVE: true, LABEL: 'base' }),
  ])

/** C_DeriveKey with these templates; what was given back meanwhile. */
async function derive(
  { call, session }: Opened,
  [type, own, further]: readonly [type: number, own: Named, further: readonly Named[]],
  base: number,
) {
  const backs: Parameter[] = []
  const parameter = {
    prfType: 0,
    dataParams: [],
    additionalDerivedKeys: further.map((named) => ({ template: template(named), key: 0 })),
  }
  const mechanism = { type, parameter, answer: (values: Parameter) => void backs.push(values) }
  const derived = call('C_DeriveKey', [session, mechanism, base, template(own)])
  return { derived, backs }
}

async function objectsOf({ call, session }: Opened): Promise<number> {
  await call('C_FindObjectsInit', [session, template({ CLASS: CKO.SECRET_KEY })])
  const found = await call('C_FindObjects', [session, 100])
  await call('C_FindObjectsFinal', [session])
  return found.length
}

async function secretOf({ call, session }: Opened, key: number): Promise<string> {
  const query = [{ type: CKA.VALUE, room: 100 }]
  const told = await call('C_GetAttributeValue', [session, key, query])
  return Buffer.from(bytes(told.answers[0]?.value)).toString('hex')
}

const open = { EXTRACTABLE: true, SENSITIVE: false }

test('a derivation makes further keys by their own templates, and gives their handles back', async (t) => {
  const token = await openToken(t)
  const base = await baseKey(token)
  const { derived, backs } = await derive(
    token,
    [
      COUNTING,
      { ...open, VALUE_LEN: 2 },
      [
        { ...open, VALUE_LEN: 3 },
        { ...open, VALUE_LEN: 16, KEY_TYPE: CKK.AES, TOKEN: true },
      ],
    ],
    base,
  )
  const key = await derived
  const given = backs.flatMap(({ additionalDerivedKeys }) => additionalDerivedKeys as Parameter[])
  const handles = [key, ...given.map((further) => Number(further.key))]
  assert.deepEqual(await Promise.all(handles.map((handle) => secretOf(token, handle))), [
    '0000',
    '010101',
    '02'.repeat(16),
  ])
})

test('a derivation without a key of its own answers CK_INVALID_HANDLE', async (t) => {
  const token = await openToken(t)
  const base = await baseKey(token)
  const made = [{ ...open, VALUE_LEN: 1 }]
  const { derived, backs } = await derive(token, [WITHOUT_OWN, {}, made], base)
  assert.equal(await derived, 0)
  const [further] = (backs[0]?.additionalDerivedKeys ?? []) as Parameter[]
  assert.equal(await secretOf(token, Number(further?.key)), '00')
})

const faults: [string, Named, Parameters<typeof answers>[0]][] = [
  ['a template that is wrong', { ...open, VALUE_LEN: 1, MODULUS_BITS: 5 }, 'TEMPLATE_INCONSISTENT'],
  [
    'values that are not the template’s',
    { ...open, VALUE_LEN: 5, KEY_TYPE: CKK.AES },
    'ATTRIBUTE_VALUE_INVALID',
  ],
]

for (const [what, wrong, rv] of faults)
  test(`${what} of one further key leaves none behind, and its handle becomes CK_INVALID_HANDLE`, async (t) => {
    const token = await openToken(t)
    const base = await baseKey(token)
    const right = { ...open, VALUE_LEN: 4, TOKEN: true }
    const { derived, backs } = await derive(token, [COUNTING, right, [right, wrong]], base)
    await assert.rejects(derived, answers(rv))
    assert.deepEqual(backs, [{ additionalDerivedKeys: [{}, { key: 0 }] }])
    assert.equal(await objectsOf(token), 1)
  })
