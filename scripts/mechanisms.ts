/**
 * Writes docs/MECHANISMS.md from the table of mechanisms that the token reads. With --check it
 * writes nothing and fails where the file differs.
 */
import { functionNames } from '../src/cli/names.ts'
import type { Mechanism } from '../src/mechanisms/mechanism.ts'
import { offered, type Profile, profiles } from '../src/mechanisms/policy.ts'
import { families, mechanismInfo, mechanisms } from '../src/mechanisms/table.ts'
import { newMechanisms } from '../src/standard/versions.ts'
import { emit } from './emit.ts'

const names = Object.keys(profiles) as Profile[]
const offers = new Map(names.map((profile) => [profile, offered({ profile })]))

const sizes = ({ keySize: [least, most] }: Mechanism) =>
  most === 0 ? '' : least === most ? `${least}` : `${least} to ${most}`

function line(row: Mechanism): string {
  const cells = [
    `CKM_${row.name}`,
    `0x${row.type.toString(16).padStart(8, '0')}`,
    row.section,
    newMechanisms[row.name] ?? '2.40',
    sizes(row),
    functionNames(mechanismInfo(row.type).flags).join(', '),
    names.filter((profile) => offers.get(profile)?.has(row.type)).join(', '),
  ]
  return `| ${cells.join(' | ')} |`
}

const chapter = ([family, rows]: [string, readonly Mechanism[]]) => `## ${family} (${rows.length})

| mechanism | number | section | since | key sizes | functions | profiles |
| --- | --- | --- | --- | --- | --- | --- |
${rows.map(line).join('\n')}
`

const text = `# The mechanisms

Written by \`npm run generate\` from the table that the token itself reads; C_GetMechanismList and \`softoki mechanisms\` tell what a running token offers. Sections are those of PKCS #11 3.2 (\`hist\`: of its historical mechanisms). Key sizes are in the unit that C_GetMechanismInfo has for the mechanism: bits for RSA, EC, DSA and DH, bytes for most others.

${mechanisms.size} mechanisms in ${Object.keys(families).length} families; ${names.map((profile) => `${offers.get(profile)?.size} in the profile \`${profile}\``).join(', ')}.

## What a token offers
\`softoki.json\` in the folder that SOFTOKI_HOME names:

\`\`\`json
{ "mechanisms": { "profile": "default", "allow": ["CKM_MD5"], "deny": ["rsa", "3.2"] } }
\`\`\`

A profile is \`default\` (all but what is broken or obsolete), \`legacy\` (everything) or \`fips-approved\` (what FIPS 140-3 approves of; it makes no validated module of this one, and limits no key sizes). \`allow\` adds to it and \`deny\` takes away, by the name of a mechanism, by a family of this page, or by the version of the standard that a mechanism came with. What is not offered is as if it did not exist: C_GetMechanismList leaves it out, and using it answers CKR_MECHANISM_INVALID.

${Object.entries(families).map(chapter).join('\n')}`

emit([[new URL('../docs/MECHANISMS.md', import.meta.url), text]])
