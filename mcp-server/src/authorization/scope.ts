/** Owns which scopes a message needs and which a client is told to ask for (RFC 6750 §3.1, MCP scope challenges). */
import type { ScopeHierarchy } from './scope-hierarchy.ts';

type Scopes = readonly string[];

/** What is offered, as far as authorization is concerned: what each thing needs on top of the base scope. */
export interface Scoped {
  /** All scopes that something needs. */
  readonly declared: Scopes;
  tool(name: string): Scopes;
  prompt(name: string): Scopes;
  /** Of a resource, or of the template that a URI is of or that is given itself. */
  resource(uri: string): Scopes;
}

export interface ScopePolicyOptions {
  /** Needed by every call; absent for issuers that can't grant scopes. */
  readonly base: string | undefined;
  readonly hierarchy: ScopeHierarchy;
  /** What is offered at this moment. */
  readonly scoped: () => Scoped;
}

export interface ScopePolicy {
  /** Every scope that this server knows, sorted: `scopes_supported` of RFC 9728 §2. */
  readonly supported: () => Scopes;
  /** What a client without a token asks for first: the least that is of use. */
  readonly initial: Scopes;
  /** What a message, a batch of messages or a request without a message needs. */
  required(message?: unknown): Scopes;
  /** Whether who holds some scopes has others, be it by one that stands above. */
  covers(held: ReadonlySet<string>, needed: Scopes): boolean;
  /** What to ask for when `held` does not cover `required`; nothing when it does. */
  stepUp(held: ReadonlySet<string>, required: Scopes): Scopes | undefined;
}

/** Scopes of the sign-in itself: the client's business, never a resource's. */
const NOT_OF_A_RESOURCE = new Set(['openid', 'offline_access']);

const NONE: Scopes = [];

export function createScopePolicy({ base, hierarchy, scoped }: ScopePolicyOptions): ScopePolicy {
  const initial = base === undefined ? NONE : [base];
  const has = (held: ReadonlySet<string>, scope: string): boolean =>
    held.has(scope) || hierarchy.get(scope)?.isDisjointFrom(held) === false;
  const covers: ScopePolicy['covers'] = (held, needed) => needed.every((scope) => has(held, scope));
  const known = () =>
    new Set([...initial, ...hierarchy.keys(), ...scoped().declared].filter((scope) => !NOT_OF_A_RESOURCE.has(scope)));

  return {
    supported: () => [...known()].sort(),
    initial,
    required: (message) => {
      const more = Array.isArray(message)
        ? message.flatMap((part) => neededBy(part, scoped()))
        : neededBy(message, scoped());
      return more.length === 0 ? initial : [...new Set([...initial, ...more])];
    },
    covers,
    stepUp: (held, required) => {
      if (covers(held, required)) return undefined;
      const missing = required.filter((scope) => !has(held, scope));
      // A client replaces its token by one with exactly these scopes: what it holds already must not get lost.
      return [...new Set([...missing, ...known().intersection(held)])].sort();
    },
  };
}

type Json = { readonly [member: string]: unknown };

const NOTHING: Json = {};
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : NOTHING);

/** What a JSON-RPC message asks for needs, beside the base scope. Whatever is malformed gets its own error later. */
function neededBy(message: unknown, scoped: Scoped): Scopes {
  const { method, params: given } = object(message);
  const params = object(given);
  const of = (find: (key: string) => Scopes, key: unknown) => (typeof key === 'string' ? find(key) : NONE);
  switch (method) {
    case 'tools/call':
      return of(scoped.tool, params.name);
    case 'prompts/get':
      return of(scoped.prompt, params.name);
    case 'resources/read':
    case 'resources/subscribe':
      return of(scoped.resource, params.uri);
    case 'completion/complete':
      return [...of(scoped.prompt, object(params.ref).name), ...of(scoped.resource, object(params.ref).uri)];
    case 'subscriptions/listen': {
      const { resourceSubscriptions: uris } = object(params.notifications);
      return Array.isArray(uris) ? uris.flatMap((uri) => of(scoped.resource, uri)) : NONE;
    }
    default:
      return NONE;
  }
}
