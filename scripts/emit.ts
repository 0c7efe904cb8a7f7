/** Writes generated files as biome formats them, or with --check tells which ones are out of date. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The text as biome formats it; a C file is left as it is. */
function formatted(file: URL, text: string): string {
  if (!file.pathname.endsWith('.ts')) return text
  return execFileSync(
    join(root, 'node_modules/.bin/biome'),
    ['format', `--stdin-file-path=${basename(file.pathname)}`],
    {
      cwd: root,
      input: text,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    },
  )
}

export function emit(files: readonly (readonly [URL, string])[]): void {
  const check = process.argv.includes('--check')
  for (const [file, text] of files) {
    const wanted = formatted(file, text)
    if (!check) writeFileSync(file, wanted)
    else if (readFileSync(file, 'utf8') !== wanted) {
      console.error(
        `${basename(file.pathname)} is not what the generator writes: run npm run generate`,
      )
      process.exitCode = 1
    }
  }
}
