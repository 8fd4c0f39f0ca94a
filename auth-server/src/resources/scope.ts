/** Owns which scopes a request gets (RFC 6749 §3.3), and which of them belong to the resource. */
import type { Resource } from './resource.ts';

export interface ScopeBounds {
  /** Scopes of this server itself, such as `openid`: they do not concern a resource. */
  readonly own?: ReadonlySet<string>;
  /** The scopes to which the operator limits the client; absent: all. */
  readonly bound?: string | undefined;
  /** Whether a person is asked, who can connect an account. */
  readonly hasPerson?: boolean;
}

/**
 * The known scopes of the requested ones. RFC 6749 §3.3 lets a server ignore the others, so that clients made for other servers
 * work. A request without scopes of the resource gets the default scope. Empty if scopes were requested and none is known.
 */
export function effectiveScope(asked: string | undefined, resource: Resource, bounds: ScopeBounds = {}): string {
  const { own = new Set<string>(), bound } = bounds;
  const within = new Set(grantableScopes(resource, bound));
  const upstreams = new Set(bounds.hasPerson ? inBound(upstreamNames(resource), bound) : []);
  const names = namesOf(asked);
  const isOfResource = (name: string) => within.has(name) || upstreams.has(name);
  const kept = names.filter((name) => own.has(name) || isOfResource(name));
  if (names.length > 0 && kept.length === 0) return '';
  if (kept.some(isOfResource)) return kept.join(' ');
  const usual = namesOf(resource.defaultScope).filter((name) => within.has(name));
  return [...kept, ...(usual.length > 0 ? usual : within)].join(' ');
}

/** Every listed scope of the resource that a client with this bound may get, in the resource's order. */
export const grantableScopes = (resource: Resource, bound?: string): readonly string[] =>
  inBound(Object.keys(resource.scopes), bound);

function inBound(names: readonly string[], bound: string | undefined): readonly string[] {
  if (bound === undefined) return names;
  const most = new Set(namesOf(bound));
  return names.filter((name) => most.has(name));
}

const upstreamNames = ({ upstreams }: Resource): readonly string[] => upstreams.map(({ name }) => name);

/** Every scope of the resource, those for accounts of the person last. */
export const allScopes = (resource: Resource): readonly string[] => [
  ...Object.keys(resource.scopes),
  ...upstreamNames(resource),
];

/** The scopes of `scope` that are the resource's, in its order. */
export const resourceScopes = (scope: string | undefined, resource: Resource): readonly string[] => {
  const asked = new Set(namesOf(scope));
  return allScopes(resource).filter((name) => asked.has(name));
};

/** Whether the request names a scope that neither the resource nor this server knows. */
export const hasUnknownScope = (asked: string | undefined, resource: Resource, own: ReadonlySet<string>): boolean =>
  namesOf(asked).some((name) => !own.has(name) && !allScopes(resource).includes(name));

/** The names in a scope, each once. Real clients send extra blanks that RFC 6749 §3.3 does not allow. */
export const namesOf = (scope: string | undefined): readonly string[] => [
  ...new Set((scope ?? '').split(' ').filter(Boolean)),
];
