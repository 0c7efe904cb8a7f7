/**
 * The one interpreter of the attribute rows: what every C_ function that makes, reads, changes or
 * finds objects goes through.
 */
export { copy, mayDestroy, set } from './changing.ts'
export {
  type Complete,
  create,
  finish,
  type Given,
  type How,
  type Prepared,
  prepare,
} from './creation.ts'
export { get } from './reading.ts'
export { fits, matches, type SearchTerm, searchable, searchTerms } from './search.ts'
export { type ClassAndType, classAndType, type Who } from './template.ts'
