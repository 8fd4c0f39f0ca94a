/**
 * Owns what this server knows of the protected resources that it issues tokens for (RFC 8707): the identifiers that stand
 * for one resource, its audience, its scopes, and what is granted to a client that names neither.
 */
import { BASE_SCOPE, canonicalResource, SCOPES } from '@mcp-oauth/shared/contract';
import type { ScopeSource } from './resource-metadata.ts';
import { describeScopes, type Scopes } from './scope-description.ts';

/** What the operator says of a resource. */
export interface ResourceSetting {
  /** What the sign-in page calls it; absent: as it calls itself (RFC 9728 §2 `resource_name`), or its host. */
  readonly name?: string | undefined;
  readonly host: string;
  /** Every identifier that a client may send for it; the first is the one that clients are told. */
  readonly identifiers: readonly [string, ...string[]];
  /** The `aud` of its tokens (RFC 9068 §2.2). */
  readonly audience: string;
  /** Scope names with the words that the sign-in page shows; absent: the resource says itself what they are. */
  readonly scopes?: Scopes | undefined;
  /** Where it says so (RFC 9728 §3); absent: nowhere. */
  readonly metadataUrl?: string | undefined;
  /** Granted to a client that asks for no scope of this resource (RFC 6749 §3.3). */
  readonly defaultScope?: string | undefined;
  /** Seconds; absent: the lifetime of all access tokens. */
  readonly accessTokenLifetime?: number | undefined;
}

/** A resource as it is at the moment. */
export interface Resource extends ResourceSetting {
  readonly name: string;
  readonly scopes: Scopes;
  readonly defaultScope: string;
  /** Whether `scopes` were said by the operator or the resource; otherwise they are those of our own MCP server. */
  readonly isCertain: boolean;
  /** Never fails, and waits only when nothing was ever heard of its scopes. */
  ready(): Promise<void>;
  /** Has another look at its scopes, now. */
  renew(): Promise<void>;
  /** Grows whenever its scopes become others. */
  revision(): number;
}

export interface Resources {
  readonly all: readonly Resource[];
  /** For requests that name no resource. */
  readonly default: Resource;
  /** By any of its identifiers in any spelling: case of the host, default port, trailing slash. */
  find(identifier: string): Resource | undefined;
  /** Names of all scopes of all resources, as they are known now. */
  scopes(): readonly string[];
  /** Grows whenever those become others. */
  revision(): number;
}

/**
 * @param settings at least one; no two share an identifier (the configuration sees to both)
 * @param sourceOf where the scopes of a resource are to be had that the operator did not name
 * @param words the operator's, for scopes that are not described in the settings of their resource
 */
export function createResources(
  settings: readonly [ResourceSetting, ...ResourceSetting[]],
  sourceOf: (setting: ResourceSetting) => ScopeSource | undefined = () => undefined,
  words: Scopes = {},
): Resources {
  const [first, ...others] = settings;
  const preferred = live(first, sourceOf(first), words);
  const all = [preferred, ...others.map((setting) => live(setting, sourceOf(setting), words))];
  const byIdentifier = new Map(
    all.flatMap((resource) => resource.identifiers.map((identifier) => [canonicalResource(identifier), resource])),
  );
  return {
    all,
    default: preferred,
    find: (identifier) => {
      // As most write it, and to be asked for several times in each request.
      const exact = byIdentifier.get(identifier);
      if (exact) return exact;
      const canonical = canonicalResource(identifier);
      return canonical === undefined ? undefined : byIdentifier.get(canonical);
    },
    scopes: () => [...new Set(all.flatMap(({ scopes }) => Object.keys(scopes)))],
    revision: () => all.reduce((sum, resource) => sum + resource.revision(), 0),
  };
}

function live(setting: ResourceSetting, source: ScopeSource | undefined, words: Scopes): Resource {
  const named = setting.scopes && withWords(setting.scopes, words);
  const usual = describeScopes(Object.keys(SCOPES), words);
  const said = () => named ?? source?.current();
  return {
    ...setting,
    get name() {
      return setting.name ?? source?.name() ?? setting.host;
    },
    get scopes() {
      return said() ?? usual;
    },
    get defaultScope() {
      const scopes = said() ?? usual;
      const named = (setting.defaultScope?.split(' ') ?? []).filter((name) => Object.hasOwn(scopes, name));
      return named.join(' ') || usualScope(scopes, setting.scopes !== undefined);
    },
    get isCertain() {
      return said() !== undefined;
    },
    ready: async () => source?.ready(),
    renew: async () => source?.renew(),
    revision: () => source?.revision() ?? 0,
  };
}

/** Those without words in the settings of the resource get them from elsewhere. */
function withWords(scopes: Scopes, words: Scopes): Scopes {
  const described = describeScopes(Object.keys(scopes), words);
  return Object.fromEntries(Object.entries(scopes).map(([name, said]) => [name, said || (described[name] ?? name)]));
}

/**
 * What a client gets that names no scope: that of every call to our MCP server, if there is one; else the first that the
 * operator named; else all that the resource names, as the MCP specification has clients ask for when nobody says less.
 */
function usualScope(scopes: Scopes, inOrder: boolean): string {
  const names = Object.keys(scopes);
  if (Object.hasOwn(scopes, BASE_SCOPE)) return BASE_SCOPE;
  return inOrder ? (names[0] ?? '') : names.join(' ');
}

/**
 * The granted identifier that means what `asked` means, so that a client may spell the resource differently at /authorize
 * and /token; anything else is given back as it is, and refused where it is compared.
 */
export function grantedSpelling(asked: string, granted: readonly string[], resources: Resources): string {
  const resource = resources.find(asked);
  if (!resource || granted.includes(asked)) return asked;
  return granted.find((identifier) => resources.find(identifier) === resource) ?? asked;
}
