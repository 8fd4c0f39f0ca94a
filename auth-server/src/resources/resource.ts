/**
 * Owns what this server knows about the protected resources that it issues tokens for (RFC 8707): the identifiers of one resource,
 * its audience, its scopes, and what is granted to a client that names neither.
 */
import { BASE_SCOPE, canonicalResource, type PersonClaim, SCOPES } from '@mcp-oauth/shared/contract';
import type { ScopeSource } from './resource-metadata.ts';
import { describeScopes, type Scopes } from './scope-description.ts';
import { NO_TOOLS, type ToolsByScope } from './scope-tools.ts';
import type { UpstreamScope } from './upstream-scope.ts';

/** What the operator configures for a resource. */
export interface ResourceSetting {
  /** Its name on the sign-in page; absent: its own name (RFC 9728 §2 `resource_name`), or its address. */
  readonly name?: string | undefined;
  /** Its URL without the scheme, such as `example.com/tools`. */
  readonly address: string;
  /** Every identifier that a client may send for it; clients get the first one in answers. */
  readonly identifiers: readonly [string, ...string[]];
  /** The `aud` of its tokens (RFC 9068 §2.2). */
  readonly audience: string;
  /** Scope names with the texts that the sign-in page shows; absent: read from the metadata of the resource. */
  readonly scopes?: Scopes | undefined;
  /** URL of its metadata (RFC 9728 §3); absent: it has none. */
  readonly metadataUrl?: string | undefined;
  /** Granted to a client that requests no scope of this resource (RFC 6749 §3.3). */
  readonly defaultScope?: string | undefined;
  /** Seconds; absent: the lifetime of all access tokens. */
  readonly accessTokenLifetime?: number | undefined;
  /** What its access tokens say about the person; absent: the claims of all resources. */
  readonly claims?: readonly PersonClaim[] | undefined;
}

/** The current state of a resource. */
export interface Resource extends ResourceSetting {
  readonly name: string;
  readonly scopes: Scopes;
  readonly defaultScope: string;
  /** The scopes that everybody who may come in has: those that `defaultScope` of the operator names, or the base scope of our MCP server. */
  readonly baseScopes: ReadonlySet<string>;
  readonly claims: readonly PersonClaim[];
  /** The accounts of a person that its tools may use: each is a scope that is valid here and is not among `scopes`. */
  readonly upstreams: readonly UpstreamScope[];
  /** The tools behind each scope, as far as its metadata describes them. */
  readonly tools: ToolsByScope;
  /** Whether `scopes` come from the operator or the resource; otherwise they are those of our own MCP server. */
  readonly isCertain: boolean;
  /** Never fails, and waits only if its scopes were never read. */
  ready(): Promise<void>;
  /** Reads its scopes again, now. */
  renew(): Promise<void>;
  /** Grows whenever its scopes change. */
  revision(): number;
}

export interface Resources {
  readonly all: readonly Resource[];
  /** For requests that name no resource. */
  readonly default: Resource;
  /** By any of its identifiers in any spelling: case of the host, default port, trailing slash. */
  find(identifier: string): Resource | undefined;
  /** Names of all currently known scopes of all resources. */
  scopes(): readonly string[];
  /** Grows whenever the scopes change. */
  revision(): number;
}

export interface UsualSettings {
  readonly words?: Scopes;
  readonly claims?: readonly PersonClaim[] | undefined;
  /** Absent: no tool uses an account of a person. */
  readonly upstreamsOf?: ((identifiers: readonly string[]) => readonly UpstreamScope[]) | undefined;
}

/**
 * @param settings at least one; no two share an identifier (the configuration checks both)
 * @param sourceOf the source of the scopes of a resource, if the operator did not name them
 * @param usual for resources whose settings do not say: the operator's texts for scopes, and the claims about a person
 */
export function createResources(
  settings: readonly [ResourceSetting, ...ResourceSetting[]],
  sourceOf: (setting: ResourceSetting) => ScopeSource | undefined = () => undefined,
  { words = {}, claims = [], upstreamsOf = () => [] }: UsualSettings = {},
): Resources {
  const [first, ...others] = settings;
  const open = (setting: ResourceSetting) => {
    const complete = { ...setting, claims: setting.claims ?? claims, upstreams: upstreamsOf(setting.identifiers) };
    return live(complete, sourceOf(setting), words);
  };
  const preferred = open(first);
  const all = [preferred, ...others.map(open)];
  const byIdentifier = new Map(
    all.flatMap((resource) => resource.identifiers.map((identifier) => [canonicalResource(identifier), resource])),
  );
  return {
    all,
    default: preferred,
    find: (identifier) => {
      // The fast path for the usual spelling: `find` runs several times per request.
      const exact = byIdentifier.get(identifier);
      if (exact) return exact;
      const canonical = canonicalResource(identifier);
      return canonical === undefined ? undefined : byIdentifier.get(canonical);
    },
    scopes: () => [...new Set(all.flatMap(({ scopes }) => Object.keys(scopes)))],
    revision: () => all.reduce((sum, resource) => sum + resource.revision(), 0),
  };
}

type Complete = ResourceSetting & Pick<Resource, 'claims' | 'upstreams'>;

function live(setting: Complete, source: ScopeSource | undefined, words: Scopes): Resource {
  const named = setting.scopes && withWords(setting.scopes, words);
  const usual = describeScopes(Object.keys(SCOPES), words);
  const said = () => named ?? source?.current();
  return {
    ...setting,
    get name() {
      return setting.name ?? source?.name() ?? setting.address;
    },
    get scopes() {
      return said() ?? usual;
    },
    get defaultScope() {
      const scopes = said() ?? usual;
      const named = (setting.defaultScope?.split(' ') ?? []).filter((name) => Object.hasOwn(scopes, name));
      return named.join(' ') || usualScope(scopes, setting.scopes !== undefined);
    },
    get baseScopes() {
      const scopes = said() ?? usual;
      const chosen = (setting.defaultScope?.split(' ') ?? []).filter((name) => Object.hasOwn(scopes, name));
      return new Set(setting.defaultScope === undefined && Object.hasOwn(scopes, BASE_SCOPE) ? [BASE_SCOPE] : chosen);
    },
    get tools() {
      return source?.tools() ?? NO_TOOLS;
    },
    get isCertain() {
      return said() !== undefined;
    },
    ready: async () => source?.ready(),
    renew: async () => source?.renew(),
    revision: () => source?.revision() ?? 0,
  };
}

/** Scopes without a text in the settings of the resource get the general text. */
function withWords(scopes: Scopes, words: Scopes): Scopes {
  const described = describeScopes(Object.keys(scopes), words);
  return Object.fromEntries(Object.entries(scopes).map(([name, said]) => [name, said || (described[name] ?? name)]));
}

/**
 * The scope for a client that names none: the base scope of our MCP server, if the resource has it; else the first that the
 * operator named; else all scopes of the resource, as the MCP specification has clients request by default.
 */
function usualScope(scopes: Scopes, inOrder: boolean): string {
  const names = Object.keys(scopes);
  if (Object.hasOwn(scopes, BASE_SCOPE)) return BASE_SCOPE;
  return inOrder ? (names[0] ?? '') : names.join(' ');
}

/**
 * The granted identifier of the same resource as `asked`, so that a client may spell the resource differently at /authorize and
 * /token. Anything else is returned unchanged, and refused where it is compared.
 */
export function grantedSpelling(asked: string, granted: readonly string[], resources: Resources): string {
  const resource = resources.find(asked);
  if (!resource || granted.includes(asked)) return asked;
  return granted.find((identifier) => resources.find(identifier) === resource) ?? asked;
}
