/**
 * Carries the numbers of the standard from a folder of tables (constants, functions, structures,
 * mechanisms, attributes as JSON) into src/standard/standard.json, the project's own data file.
 * Run once for each new version of the standard: node scripts/standard/carry.ts FOLDER HEADERS, where
 * HEADERS holds the published headers in folders named as OASIS names them (3-02/pkcs11t.h).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder, headers] = process.argv.slice(2)
if (folder === undefined || headers === undefined) {
  console.error('usage: node scripts/standard/carry.ts FOLDER HEADERS: the tables, the headers')
  process.exit(2)
}
const table = (name: string) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))

interface Structure {
  fields: { name: string; type: string; array?: number }[]
  layout: { lp64: { size: number; offsets: number[] } }
}

const structures = Object.fromEntries(
  Object.entries(table('structs').structs as Record<string, Structure>).map(
    ([name, { fields, layout }]) => [
      name,
      {
        size: layout.lp64.size,
        fields: fields.map((field, i) => ({ ...field, offset: layout.lp64.offsets[i] })),
      },
    ],
  ),
)
const lists = table('function_lists') as Record<string, string[]>
const [, longest] =
  Object.entries(lists).find(([name]) => name.startsWith('CK_FUNCTION_LIST_3_2')) ?? []
if (longest === undefined) throw new Error('function_lists.json holds no CK_FUNCTION_LIST_3_2')

/** Versions of the standard, newest first, by the folder of their header. */
const versions = { '3.2': '3-02', '3.1': '3-01', '3.0': '3-00', '2.40': '2-40-errata-1' }
const texts = Object.entries(versions).map(
  ([version, name]) => [version, readFileSync(join(headers, name, 'pkcs11t.h'), 'utf8')] as const,
)

/** The oldest version whose header has the name. */
const since = (name: string) =>
  texts.findLast(([, text]) => new RegExp(`^#define ${name}\\s`, 'm').test(text))?.[0] ?? '3.2'

const mechanisms = Object.fromEntries(
  Object.entries(table('mechanisms').mechanisms as Record<string, object>).map(([name, row]) => [
    name,
    { ...row, since: since(name) },
  ]),
)

const standard = {
  source:
    'PKCS #11 3.2: the published header for the numbers, the chapters of the text for the tables',
  constants: table('constants'),
  typedefs: table('structs').typedefs,
  structures,
  functionList: longest,
  functions: table('functions'),
  mechanisms,
  footnotes: table('attributes')._footnotes,
  attributes: table('attributes').tables,
}
writeFileSync(
  new URL('../../src/standard/standard.json', import.meta.url),
  `${JSON.stringify(standard, null, 1)}\n`,
)
