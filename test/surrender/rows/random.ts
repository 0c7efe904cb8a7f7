/** Random number generation functions. PKCS #11 3.2, 5.19. */
import { bytes } from '../../in-process.ts'
import { type Row, row } from '../row.ts'
import { LONG, SHORT } from '../stage.ts'

const ofBytes = (form: string, callbacks: number, seed: Buffer): Row[] => [
  row({
    name: 'C_SeedRandom',
    form,
    callbacks,
    call: ({ call, session }, context) => call('C_SeedRandom', [session, seed], context),
  }),
  row({
    name: 'C_GenerateRandom',
    form,
    callbacks,
    call: ({ call, session }, context) => call('C_GenerateRandom', [session, seed.length], context),
    result: (_scene, random) => bytes(random).length,
  }),
]

export const random: readonly Row[] = [...ofBytes('short', 1, SHORT), ...ofBytes('long', 5, LONG)]
