/**
 * Owns the hierarchy of scopes: a scope may include others, so a token with `mcp:admin` also covers `mcp:tools`
 * (RFC 6749 §3.3 leaves this to the server).
 */

/** By scope, the other scopes that include it. */
export type ScopeHierarchy = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * @param chains each starts with the scope that includes the others, as in `['mcp:admin', 'mcp:tools']`
 * @throws RangeError naming a scope that would include itself
 */
export function scopeHierarchy(chains: readonly (readonly string[])[]): ScopeHierarchy {
  const above = new Map<string, Set<string>>();
  const directlyAbove = (scope: string) =>
    chains.flatMap((chain) => chain.slice(0, Math.max(chain.lastIndexOf(scope), 0)));
  for (const scope of new Set(chains.flat())) {
    const reached = new Set(directlyAbove(scope));
    for (const other of reached) for (const higher of directlyAbove(other)) reached.add(higher);
    if (reached.has(scope)) throw new RangeError(`${scope} includes itself`);
    above.set(scope, reached);
  }
  return above;
}
