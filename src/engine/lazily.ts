/** What begins when it is first asked for, and then stays. */
export function lazily<T extends object>(begin: () => T): () => T {
  let begun: T | undefined
  return () => {
    begun ??= begin()
    return begun
  }
}
