/** Builds libsoftoki-pkcs11.so where needed; answers its path. See build.mjs. */
export default function build(options: {
  readonly root: string
  readonly node?: string
  readonly service?: string
  readonly sanitize?: boolean
  readonly buildFolder?: string
}): string
