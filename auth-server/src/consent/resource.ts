/**
 * Owns what this server knows of the protected resources that it issues tokens for (RFC 8707): the identifiers that stand
 * for one resource, its audience, its scopes, and what is granted to a client that names neither.
 */
import { canonicalResource } from '@mcp-oauth/shared/contract';

export interface Resource {
  /** What the sign-in page calls it. */
  readonly name: string;
  /** Every identifier that a client may send for it; the first is the one that clients are told. */
  readonly identifiers: readonly [string, ...string[]];
  /** The `aud` of its tokens (RFC 9068 §2.2). */
  readonly audience: string;
  /** Scope names with the words that the sign-in page shows. */
  readonly scopes: Readonly<Record<string, string>>;
  /** Granted to a client that asks for no scope of this resource (RFC 6749 §3.3). */
  readonly defaultScope: string;
  /** Seconds; absent: the lifetime of all access tokens. */
  readonly accessTokenLifetime?: number | undefined;
}

export interface Resources {
  readonly all: readonly Resource[];
  /** For requests that name no resource. */
  readonly default: Resource;
  /** By any of its identifiers in any spelling: case of the host, default port, trailing slash. */
  find(identifier: string): Resource | undefined;
  /** Names of all scopes of all resources. */
  readonly scopes: readonly string[];
}

/** @param all at least one; no two share an identifier (the configuration sees to both) */
export function createResources(all: readonly [Resource, ...Resource[]]): Resources {
  const byIdentifier = new Map(
    all.flatMap((resource) => resource.identifiers.map((identifier) => [canonicalResource(identifier), resource])),
  );
  return {
    all,
    default: all[0],
    find: (identifier) => {
      const canonical = canonicalResource(identifier);
      return canonical === undefined ? undefined : byIdentifier.get(canonical);
    },
    scopes: [...new Set(all.flatMap(({ scopes }) => Object.keys(scopes)))],
  };
}

/**
 * The scopes that a request ends up with: what nobody knows is dropped (RFC 6749 §3.3 lets us, and clients that were made
 * for another server go on working), and a request without a scope of the resource gets the default one.
 * @param known scopes of the server itself, such as `openid`
 */
export function effectiveScope(asked: string | undefined, resource: Resource, known: ReadonlySet<string>): string {
  const names = (asked ?? '').split(' ').filter((name) => known.has(name) || Object.hasOwn(resource.scopes, name));
  const own = names.some((name) => Object.hasOwn(resource.scopes, name));
  return [...new Set(own ? names : [...names, ...resource.defaultScope.split(' ')])].join(' ');
}

/**
 * What a machine client gets: what it asks for, or else the default, as far as the resource knows it and its registration
 * allows it. Empty where nothing is left.
 * @param allowed the registered scope; absent: no bound
 */
export function machineScope(asked: string | undefined, resource: Resource, allowed: string | undefined): string {
  const bound = new Set(allowed?.split(' '));
  const names = (asked || resource.defaultScope).split(' ').filter((name) => Object.hasOwn(resource.scopes, name));
  return [...new Set(names)].filter((name) => allowed === undefined || bound.has(name)).join(' ');
}

/** The scopes of `scope` that are the resource's, in its order. */
export const resourceScopes = (scope: string | undefined, resource: Resource): readonly string[] => {
  const asked = new Set(scope?.split(' '));
  return Object.keys(resource.scopes).filter((name) => asked.has(name));
};

/**
 * The granted identifier that means what `asked` means, so that a client may spell the resource differently at /authorize
 * and /token; anything else is given back as it is, and refused where it is compared.
 */
export function grantedSpelling(asked: string, granted: readonly string[], resources: Resources): string {
  const resource = resources.find(asked);
  if (!resource || granted.includes(asked)) return asked;
  return granted.find((identifier) => resources.find(identifier) === resource) ?? asked;
}
