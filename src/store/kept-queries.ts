/**
 * Queries that are compiled once and asked with other values each time: to compile one takes kysely
 * longer than it takes the database to answer it.
 */
import { type Compilable, CompiledQuery, type Kysely } from 'kysely'

/** Texts of queries kept: some twenty, and some for each number of tags. */
const MOST = 128

const isSame = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((value, index) => Object.is(value, other[index]))

export class KeptQueries<Schema> {
  readonly #texts = new Map<string, string>()

  /**
   * Answers the rows of the query that the name stands for. `values` are all its values, in the order
   * they stand in its text; `build` makes it with them, and is asked only where it is not kept.
   */
  async rows<Row>(
    database: Kysely<Schema>,
    name: string,
    values: readonly unknown[],
    build: () => Compilable<Row>,
  ): Promise<Row[]> {
    const text = this.#texts.get(name) ?? this.#compile(name, values, build())
    const { rows } = await database.executeQuery<Row>(CompiledQuery.raw(text, [...values]))
    return rows
  }

  #compile(name: string, values: readonly unknown[], query: Compilable): string {
    const { sql, parameters } = query.compile()
    if (!isSame(parameters, values))
      throw new TypeError(`the values of "${name}" are not those of its query`)
    const [oldest] = this.#texts.keys()
    if (this.#texts.size >= MOST && oldest !== undefined) this.#texts.delete(oldest)
    this.#texts.set(name, sql)
    return sql
  }
}
