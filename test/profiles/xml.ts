/**
 * As much of XML as the profile scripts use: elements, attributes in double quotes, comments and
 * text. Whatever else there may be in XML (entities, CDATA, declarations) is an error here.
 */

export interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly Element[]
  /** The text directly within, its lines trimmed, those that are empty left out. */
  readonly text: readonly string[]
  /** The line its tag begins on, from 1. */
  readonly line: number
}

interface Open {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: Element[]
  readonly text: string[]
  readonly line: number
}

const NAME = '[A-Za-z_][A-Za-z0-9_.-]*'
const TOKEN = new RegExp(
  [
    '(?<comment><!--(?:(?!--)[^])*-->)',
    `(?<end></(?<ends>${NAME})\\s*>)`,
    `(?<start><(?<starts>${NAME})(?<attributes>(?:\\s+${NAME}="[^"<&]*")*)\\s*(?<empty>/?)>)`,
    '(?<text>[^<&]+)',
  ].join('|'),
  'y',
)
const ATTRIBUTE = new RegExp(`(${NAME})="([^"]*)"`, 'g')

const lineAt = (source: string, at: number) => source.slice(0, at).split('\n').length

function attributesOf(text: string, line: number): Map<string, string> {
  const attributes = new Map<string, string>()
  for (const [, name, value] of text.matchAll(ATTRIBUTE)) {
    if (attributes.has(name as string)) throw new Error(`line ${line}: ${name} comes twice`)
    attributes.set(name as string, value as string)
  }
  return attributes
}

const linesOf = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** The elements that are open, the document itself first. */
class Reader {
  readonly #open: Open[] = [{ name: '', attributes: new Map(), children: [], text: [], line: 1 }]

  get #innermost(): Open {
    return this.#open.at(-1) as Open
  }

  start(name: string, attributes: ReadonlyMap<string, string>, line: number): void {
    this.#open.push({ name, attributes, children: [], text: [], line })
  }

  end(name: string, line: number): void {
    const element = this.#open.pop() as Open
    if (element.name !== name || this.#open.length === 0)
      throw new Error(`line ${line}: </${name}> ends no element that is open`)
    this.#innermost.children.push(element)
  }

  text(text: string): void {
    this.#innermost.text.push(...linesOf(text))
  }

  root(): Element {
    const { name, line, children, text } = this.#innermost
    const [root, ...more] = children
    if (name !== '') throw new Error(`line ${line}: <${name}> has no end`)
    if (root === undefined || more.length > 0 || text.length > 0)
      throw new Error('a document is one element')
    return root
  }
}

/** The root element. Throws an Error that names the line of what is wrong. */
export function readXml(source: string): Element {
  const reader = new Reader()
  TOKEN.lastIndex = 0
  for (let at = 0; at < source.length; at = TOKEN.lastIndex) {
    const groups = TOKEN.exec(source)?.groups
    const line = lineAt(source, at)
    if (groups === undefined) throw new Error(`line ${line}: this is no XML of a profile script`)
    const { starts, attributes = '', empty, ends, text } = groups
    if (text !== undefined) reader.text(text)
    if (starts !== undefined) reader.start(starts, attributesOf(attributes, line), line)
    if (starts !== undefined && empty === '/') reader.end(starts, line)
    if (ends !== undefined) reader.end(ends, line)
  }
  return reader.root()
}
