/** Owns the scopes that a message requires, and those that a challenge names (RFC 6750 §3.1, MCP scope challenges). */
import type { ScopeHierarchy } from './scope-hierarchy.ts';

type Scopes = readonly string[];

/** The scopes of the catalog: what each entry requires in addition to the base scope. */
export interface Scoped {
  /** All scopes that any entry requires. */
  readonly declared: Scopes;
  tool(name: string): Scopes;
  prompt(name: string): Scopes;
  /** The scopes of a resource or of the template that a URI matches; also takes the template itself. */
  resource(uri: string): Scopes;
}

export interface ScopePolicyOptions {
  /** Required by every call; absent for issuers that can't grant scopes. */
  readonly base: string | undefined;
  readonly hierarchy: ScopeHierarchy;
  /** The scopes of the current catalog. */
  readonly scoped: () => Scoped;
  /** Scopes that nothing declares, and that a caller who has them keeps: those of upstreams. */
  readonly kept?: ReadonlySet<string>;
}

export interface ScopePolicy {
  /** Every scope that this server knows, sorted: `scopes_supported` of RFC 9728 §2. */
  readonly supported: () => Scopes;
  /** The scopes that a client without a token asks for first: the minimum that is useful. */
  readonly initial: Scopes;
  /** The scopes that a message, a batch of messages or a request without a message requires. */
  required(message?: unknown): Scopes;
  /** Whether the held scopes cover the needed ones, directly or by the hierarchy. */
  covers(held: ReadonlySet<string>, needed: Scopes): boolean;
  /** The scopes to ask for when `held` does not cover `required`; nothing when it does. */
  stepUp(held: ReadonlySet<string>, required: Scopes): Scopes | undefined;
  /** The scopes to ask for when these are missing. */
  widened(held: ReadonlySet<string>, missing: Scopes): Scopes;
}

/** Scopes of the sign-in: they concern the client, and never a resource, unless one is the base scope. */
const NOT_OF_A_RESOURCE = new Set(['openid', 'offline_access']);

const NONE: Scopes = [];
const NO_SCOPES: ReadonlySet<string> = new Set();

export function createScopePolicy({ base, hierarchy, scoped, kept = NO_SCOPES }: ScopePolicyOptions): ScopePolicy {
  const initial = base === undefined ? NONE : [base];
  const has = (held: ReadonlySet<string>, scope: string): boolean =>
    held.has(scope) || hierarchy.get(scope)?.isDisjointFrom(held) === false;
  const covers: ScopePolicy['covers'] = (held, needed) => needed.every((scope) => has(held, scope));
  const known = () =>
    new Set([
      ...initial,
      ...[...hierarchy.keys(), ...scoped().declared].filter((scope) => !NOT_OF_A_RESOURCE.has(scope)),
    ]);

  // The client replaces its token by one with exactly these scopes, so they include what it already has.
  const widened: ScopePolicy['widened'] = (held, missing) =>
    [...new Set([...missing, ...known().union(kept).intersection(held)])].sort();

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
      return widened(
        held,
        required.filter((scope) => !has(held, scope)),
      );
    },
    widened,
  };
}

type Json = { readonly [member: string]: unknown };

const NOTHING: Json = {};
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : NOTHING);

/**
 * The scopes that a JSON-RPC message requires in addition to the base scope. A malformed message gets its own error
 * later.
 */
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
