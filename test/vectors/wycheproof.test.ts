/** Every file of project Wycheproof through the C_ functions, case by case. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ciphers } from './ciphers.ts'
import { derivations } from './derivations.ts'
import { keyWraps } from './key-wraps.ts'
import { macs } from './macs.ts'
import { postQuantum } from './post-quantum.ts'
import { rsaDecryption } from './rsa-decryption.ts'
import { signatures } from './signatures.ts'
import { VectorToken } from './vector-token.ts'
import { areThere, files, numberOfTests, type Tally, type VectorFile } from './wycheproof.ts'

const rows: readonly VectorFile[] = [
  ...ciphers,
  ...keyWraps,
  ...macs,
  ...signatures,
  ...rsaDecryption,
  ...derivations,
  ...postQuantum,
]

/** Files that nothing runs. */
const EXPLAINED: Readonly<Record<string, string>> = {
  aria_gcm: 'PKCS #11 3.2 has no mechanism of ARIA with GCM',
  kmac128_no_customization: 'PKCS #11 3.2 has no mechanism of KMAC',
}

/** How many wrong cases of a file are told. */
const SHOWN = 10

interface Line {
  readonly file: string
  /** Mechanisms, or why no mechanism runs it. */
  readonly mechanism: string
  readonly cases: number
  readonly passed: number
  readonly inapplicable: number
}

const lines: Line[] = []

const total = (counts: ReadonlyMap<string, number>) =>
  [...counts.values()].reduce((sum, cases) => sum + cases, 0)

/** What the table has for a file that nothing runs: no case can apply. */
const explained = (file: string, why: string): Line => {
  const cases = numberOfTests(file)
  return { file, mechanism: why, cases, passed: 0, inapplicable: cases }
}

function tell(t: TestContext, { file }: VectorFile, tally: Tally): void {
  const left = total(tally.inapplicable)
  t.diagnostic(`${file}: ${tally.cases} cases, ${tally.passed} passed, ${left} not applicable`)
  for (const [why, cases] of tally.decided)
    t.diagnostic(`${file}: ${cases} may be either way: ${why}`)
  for (const [why, cases] of tally.inapplicable)
    t.diagnostic(`${file}: ${cases} not applicable: ${why}`)
}

async function tried(t: TestContext, row: VectorFile): Promise<void> {
  const { file, mechanisms } = row
  const token = await VectorToken.open(t)
  const offered = await token.offered()
  const missing = mechanisms.filter((name) => !offered.has(name))
  assert.deepEqual(missing, [], `mechanisms of ${file} that the token does not offer`)
  const tally = await row.run(token)
  const { cases, passed, failures } = tally
  const inapplicable = total(tally.inapplicable)
  const mechanism = mechanisms.map((name) => `CKM_${name}`).join(', ')
  lines.push({ file, mechanism, cases, passed, inapplicable })
  tell(t, row, tally)
  assert.deepEqual(failures.slice(0, SHOWN), [], `${failures.length} cases of ${file}`)
  assert.equal(passed + inapplicable, numberOfTests(file))
  assert.deepEqual([...tally.decided.keys()].sort(), [...(row.decided ?? [])].sort())
  assert.deepEqual([...tally.inapplicable.keys()].sort(), [...(row.inapplicable ?? [])].sort())
}

if (areThere)
  for (const row of rows)
    test(`Wycheproof: ${row.file} comes out as its file has it`, (t) => tried(t, row))

test('every file of Wycheproof is run or explained', (t) => {
  if (!areThere) return t.diagnostic('no vectors beside this folder, nothing was tried')
  for (const [file, why] of Object.entries(EXPLAINED)) lines.push(explained(file, why))
  assert.deepEqual(lines.map(({ file }) => file).sort(), files())
  for (const { file, mechanism, cases, passed, inapplicable } of lines)
    t.diagnostic(`${file} | ${mechanism} | ${cases} | ${passed} | ${inapplicable}`)
  const sum = (of: 'cases' | 'passed' | 'inapplicable') =>
    lines.reduce((all, line) => all + line[of], 0)
  const all = `${sum('cases')} cases, ${sum('passed')} passed, ${sum('inapplicable')} not applicable`
  t.diagnostic(`${lines.length} files, ${all}`)
})
