/** Owns which scopes a message needs and which a client is told to ask for (RFC 6750 §3.1, MCP scope challenges). */

/** A tool, as far as authorization is concerned. */
export interface ScopedTool {
  readonly name: string;
  /** Needed on top of the base scope. */
  readonly scope: string | undefined;
}

export interface ScopePolicy {
  /** Every scope that this server knows, sorted: `scopes_supported` of RFC 9728 §2. */
  readonly supported: readonly string[];
  /** What a client without a token asks for first: the least that is of use. */
  readonly initial: readonly string[];
  /** What a message, a batch of messages or a request without a message needs. */
  required(message?: unknown): ReadonlySet<string>;
  /** What to ask for when `held` does not cover `required`; nothing when it does. */
  stepUp(held: ReadonlySet<string>, required: ReadonlySet<string>): readonly string[] | undefined;
}

/** Scopes of the sign-in itself: the client's business, never a resource's. */
const NOT_OF_A_RESOURCE = new Set(['openid', 'offline_access']);

/** @param baseScope needed by every call; absent for issuers that can't grant scopes */
export function createScopePolicy(baseScope: string | undefined, tools: readonly ScopedTool[]): ScopePolicy {
  const initial = baseScope === undefined ? [] : [baseScope];
  const base = new Set(initial);
  const ofTool = new Map(tools.flatMap(({ name, scope }) => (scope ? [[name, new Set([...initial, scope])]] : [])));
  const ofCall = (call: unknown): ReadonlySet<string> => ofTool.get(calledTool(call) ?? '') ?? base;
  const known = new Set(
    [...initial, ...tools.flatMap(({ scope }) => scope ?? [])].filter((s) => !NOT_OF_A_RESOURCE.has(s)),
  );

  return {
    supported: [...known].sort(),
    initial,
    required: (message) =>
      Array.isArray(message) ? new Set(message.flatMap((call) => [...ofCall(call)])).union(base) : ofCall(message),
    stepUp: (held, required) => {
      if (required.isSubsetOf(held)) return undefined;
      // A client replaces its token by one with exactly these scopes: what it holds already must not get lost.
      return [...required.union(held.intersection(known))].sort();
    },
  };
}

/** The name of the tool when a JSON-RPC message is a `tools/call`. */
function calledTool(message: unknown): string | undefined {
  const { method, params } = (message ?? {}) as { method?: unknown; params?: { name?: unknown } | null };
  if (method !== 'tools/call') return undefined;
  return typeof params?.name === 'string' ? params.name : undefined;
}
