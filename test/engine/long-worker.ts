/** Computes for minutes in one native call, and is not to outlive its parent. */
import { dieWithParent } from '../../src/engine/binding.ts'
import { lengthy } from '../../src/engine/lengthy.ts'

dieWithParent()
process.send?.(process.pid, () => {
  lengthy.generateRsaKeyPair({ bits: 16384, publicExponent: Uint8Array.of(1, 0, 1) })
})
