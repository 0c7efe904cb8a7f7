/** The shape of src/standard/standard.json. */
export interface Standard {
  constants: Record<string, string>
  typedefs: Record<string, string>
  structures: Record<string, Structure>
  functionList: string[]
  functions: FunctionEntry[]
  mechanisms: Record<string, { since: string }>
  footnotes: Record<string, string>
  attributes: {
    table: string
    section: string
    attributes: { attribute: string; dataType: string; footnotes: number[] }[]
  }[]
}

export interface FunctionEntry {
  name: string
  since: string
  category: string
  surrenderCategory: boolean
  args: Argument[]
  returns: string[]
}

export interface Argument {
  name: string
  type: string
  dir: string
}

export interface Structure {
  size: number
  fields: { name: string; type: string; array?: number; offset: number }[]
}
