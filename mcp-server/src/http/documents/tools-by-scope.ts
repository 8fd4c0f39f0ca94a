/**
 * Owns what the metadata of this resource says about its tools (an extension of RFC 9728 §2): for each scope the titles of the tools
 * behind it, and whether all of them only read. A sign-in page can show it to the person who decides.
 */
import type { ScopeTools } from '@mcp-oauth/shared/contract';
import type { ScopePolicy } from '../../authorization/scope.ts';
import type { ToolSummary } from '../../protocol/endpoints.ts';

/** Bounds, so that the document stays small however many tools there are. */
const MOST_TITLES = 20;
const LONGEST_TITLE = 80;
const MOST_SCOPES = 50;

/** @param tools the same list as long as nothing has changed: anybody may ask, so the answer is computed once for each list */
export function describeTools(tools: () => readonly ToolSummary[], policy: Policy): () => ToolsByScope {
  let known: { readonly tools: readonly ToolSummary[]; readonly described: ToolsByScope } | undefined;
  return () => {
    const current = tools();
    if (known?.tools !== current) known = { tools: current, described: toolsByScope(current, policy) };
    return known.described;
  };
}

type Policy = Pick<ScopePolicy, 'supported' | 'initial' | 'covers'>;
type ToolsByScope = Readonly<Record<string, ScopeTools>>;

/** A tool without a scope of its own is behind the base scope; a scope also has what it covers by the hierarchy. */
export function toolsByScope(tools: readonly ToolSummary[], { supported, initial, covers }: Policy): ToolsByScope {
  const behind = (scope: string) => {
    const held = new Set([scope]);
    return tools.filter(({ scopes }) =>
      (scopes.length > 0 ? scopes : initial).some((needed) => covers(held, [needed])),
    );
  };
  const described = supported()
    .map((scope) => [scope, behind(scope)] as const)
    .filter(([, found]) => found.length > 0)
    .slice(0, MOST_SCOPES);
  return Object.fromEntries(described.map(([scope, found]) => [scope, scopeTools(found)]));
}

const scopeTools = (tools: readonly ToolSummary[]): ScopeTools => ({
  tools: tools.slice(0, MOST_TITLES).map(({ title }) => [...title].slice(0, LONGEST_TITLE).join('')),
  total: tools.length,
  read_only: tools.every(({ readOnly }) => readOnly),
});
