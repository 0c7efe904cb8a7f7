import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { environmentWith, modulePath, root, run } from '../service.ts'

test('npm run demo shows callbacks, a verified signature, and a cancelled generation that leaves nothing', async () => {
  modulePath()
  const { status, stdout, stderr } = await run(
    process.execPath,
    [join(root, 'demo/demo.ts')],
    environmentWith({}),
  )
  assert.equal(status, 0, stdout + stderr)
  assert.match(stdout, /^C_GenerateKeyPair RSA-8192 \.+ CKR_OK, [1-9]\d* callbacks$/m)
  assert.match(stdout, /^\.*C_Sign, C_Verify: CKR_OK, the signature of 1024 bytes is verified$/m)
  assert.match(stdout, /^objects labelled "kept": 2$/m)
  assert.match(stdout, /^C_GenerateKeyPair RSA-16384 \.{10} CKR_FUNCTION_CANCELED, 10 callbacks$/m)
  assert.match(stdout, /^objects labelled "cancelled": 0$/m)
})
