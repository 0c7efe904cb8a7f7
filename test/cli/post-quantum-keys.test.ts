import { test } from 'node:test'
import { shellHome, transcript } from './transcript.ts'

const PINS = { SOFTOKI_SO_PIN: '12345678', SOFTOKI_PIN: '1234' }

test('softoki generate makes post-quantum keys by their parameter set', async (t) => {
  await transcript(
    shellHome(t, PINS),
    `
$ softoki init --label ca >/dev/null

$ softoki generate --token ca --type ml-dsa:65 --id 01
CLASS        HANDLE  ID  LABEL
public key   1       01
private key  2       01

$ softoki generate --token ca --type slh-dsa:sha2-128f --id 02 >/dev/null

$ softoki generate --token ca --type ml-kem:768 --id 03 >/dev/null

$ softoki objects --token ca
CLASS        TYPE     LABEL  ID  SIZE               USAGE        ACCESS
public key   ML_DSA          01  ML-DSA-65          verify       public, token
public key   SLH_DSA         02  SLH-DSA-SHA2-128f  verify       public, token
public key   ML_KEM          03  ML-KEM-768         encapsulate  public, token
private key  ML_DSA          01  ML-DSA-65          sign         private, token
private key  SLH_DSA         02  SLH-DSA-SHA2-128f  sign         private, token
private key  ML_KEM          03  ML-KEM-768         decapsulate  private, token

$ softoki generate --token ca --type ml-dsa:128
! softoki: no size "128" for ml-dsa: --type ml-dsa:SIZE takes 44, 65, 87
[2]
`,
  )
})
