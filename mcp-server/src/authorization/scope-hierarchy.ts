/** Owns which scopes come with others: who holds `mcp:admin` need not be asked for `mcp:tools` (RFC 6749 §3.3 leaves it to the server). */

/** By scope, which other scopes its holder could have instead. */
export type ScopeHierarchy = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * @param chains the scope that has the others first, as in `['mcp:admin', 'mcp:tools']`
 * @throws RangeError naming a scope that would stand above itself
 */
export function scopeHierarchy(chains: readonly (readonly string[])[]): ScopeHierarchy {
  const above = new Map<string, Set<string>>();
  const directlyAbove = (scope: string) =>
    chains.flatMap((chain) => chain.slice(0, Math.max(chain.lastIndexOf(scope), 0)));
  for (const scope of new Set(chains.flat())) {
    const reached = new Set(directlyAbove(scope));
    for (const other of reached) for (const higher of directlyAbove(other)) reached.add(higher);
    if (reached.has(scope)) throw new RangeError(`${scope} stands above itself`);
    above.set(scope, reached);
  }
  return above;
}
