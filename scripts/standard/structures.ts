/** A structure of the header becomes a size, a layout string and the names of its values. */
import type { Standard, Structure } from './tables.ts'

const BYTES = /^CK_(BYTE|VOID|UTF8CHAR|CHAR)_PTR$/

/** pSourceData and ulSourceDataLen are named sourceData; hashAlg stays; pAAD is aad. */
export function plainName(name: string): string {
  const bare = name.replace(/^(p|ul|b|h)(?=[A-Z])/, '')
  return bare.replace(/^[A-Z]+(?=[A-Z][a-z]|$)|^[A-Z]/, (start) => start.toLowerCase())
}

function resolve(type: string, standard: Standard): string {
  let at = type
  while (
    standard.typedefs[at] !== undefined &&
    at !== 'CK_ULONG' &&
    at !== 'CK_BYTE' &&
    at !== standard.typedefs[at]
  )
    at = standard.typedefs[at] as string
  return at
}

const isLengthOf = (length: string, pointer: string) =>
  length.toLowerCase() === `ul${pointer.replace(/^p/, '')}len`.toLowerCase()

export function structureRow(name: string, structure: Structure, standard: Standard): string {
  const layout: string[] = []
  const names: string[] = []
  const fields = structure.fields
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as Structure['fields'][number]
    const next = fields[i + 1]
    const base = resolve(field.type, standard)
    names.push(plainName(field.name))
    if (field.array !== undefined && base === 'CK_BYTE') layout.push(`f${field.array}`)
    else if (field.array !== undefined) return row(name, structure, null, [])
    else if (BYTES.test(field.type) && next && isLengthOf(next.name, field.name)) {
      layout.push('p')
      i++
    } else if (
      base === 'CK_ULONG' &&
      next &&
      BYTES.test(next.type) &&
      isLengthOf(field.name, next.name)
    ) {
      layout.push('q')
      names[names.length - 1] = plainName(next.name)
      i++
    } else if (base === 'CK_ULONG') layout.push('u')
    else if (base === 'CK_BYTE') layout.push('y')
    else if (field.type === 'CK_VERSION') layout.push('v')
    else return row(name, structure, null, [])
  }
  return row(name, structure, layout.join(''), names)
}

function row(name: string, { size }: Structure, layout: string | null, names: string[]): string {
  const text = layout === null ? 'null' : `'${layout}'`
  return `  ${name}: { size: ${size}, layout: ${text}, names: [${names.map((n) => `'${n}'`).join(', ')}] },`
}
