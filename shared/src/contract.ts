/**
 * Owns the wire contract between any authorization server and mcp-server: the only constants and functions about tokens that both
 * services share (RFC 6749, 8414, 8707, 9068, 9728).
 */

/** Media type of the `typ` header of an access token (RFC 9068 §2.1). */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** One scope, a scope-token (RFC 6749 §3.3). */
export const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Beginning of a scope with which tools may use an account of the person: the id of a connector follows. */
export const UPSTREAM_SCOPE = 'upstream:';

/**
 * What an exchange for the account of a person has beyond RFC 8693: parameters of the request, and members of the error
 * `interaction_required`. Another issuer ignores the ones and sends none of the others.
 */
export const INTERACTION = {
  /** `none`: no page is wanted. `declined`: the person has declined the page of `uri`. Absent: a page is wanted. */
  wish: 'interaction',
  /** The page for the person; in a request the one for which the client waits. */
  uri: 'interaction_uri',
  /** Seconds for which the page can be opened. */
  expiresIn: 'interaction_expires_in',
  /** `true`: another request of the same client has got the page and shows it to the person now. */
  isShown: 'interaction_shown',
  /** The scope whose approval has the person act as well. */
  scope: 'interaction_scope',
} as const;

/** The error code, with status 429, for a person who was given too many pages for their accounts; `Retry-After` says until when. */
export const TOO_MANY_PAGES = 'too_many_pages';

/** The parameter with the SHA-256 (base64url) of a token that the API of the upstream has refused with 401. */
export const REJECTED_TOKEN = 'rejected_token';

/** The scope that every call of the MCP server needs. A client that requests no scope gets it. */
export const BASE_SCOPE = 'mcp:tools';

/** The scopes of the MCP server with the texts that the sign-in page shows. */
export const SCOPES = {
  [BASE_SCOPE]: 'Use the tools of this server on your behalf',
  'mcp:admin': 'See the status of this server: version, uptime and open sessions',
} as const satisfies Readonly<Record<string, string>>;

/**
 * What an access token may say about its person: the name in settings and tools, and the claim in the token (RFC 9068 §2.2.2,
 * §2.2.3.1; OpenID Connect Core §5.1).
 */
export const PERSON_CLAIMS = {
  name: 'name',
  username: 'preferred_username',
  email: 'email',
  groups: 'groups',
  roles: 'roles',
  org: 'org',
} as const;

export type PersonClaim = keyof typeof PERSON_CLAIMS;

/** RFC 9728 §3: path of the metadata of a protected resource; a resource with a path appends its path. */
export const PROTECTED_RESOURCE_PATH = '/.well-known/oauth-protected-resource';

/** The member of that metadata that describes the tools behind each scope (RFC 9728 §2 allows further members). */
export const TOOLS_BY_SCOPE = 'mcp_oauth_tools_by_scope';

/** The tools behind one scope. */
export interface ScopeTools {
  /** Titles of the first ones. */
  readonly tools: readonly string[];
  /** How many there are. */
  readonly total: number;
  /** Whether all of them declare that they only read. */
  readonly read_only: boolean;
}

/** RFC 8414 §3: path of the metadata of an authorization server; an issuer with a path appends its path. */
export const AUTHORIZATION_SERVER_PATH = '/.well-known/oauth-authorization-server';

/** OpenID Connect Discovery 1.0 §4: the same for OpenID providers; an issuer with a path prepends its path. */
export const OPENID_CONFIGURATION_PATH = '/.well-known/openid-configuration';

/** The path of a URL as it is inserted or prepended there: empty, or from its slash to its last segment (RFC 8414 §3.1). */
export const urlPath = (issuer: string): string => new URL(issuer).pathname.replace(/\/$/, '');

/** The URL of a metadata document with the path of its subject inserted: `/.well-known/…` and then the path (RFC 8414 §3.1, RFC 9728 §3.1). */
export const insertedUrl = (wellKnown: string, subject: string): string =>
  new URL(subject).origin + wellKnown + urlPath(subject);

/** Paths of the MCP server below its public URL: all of them identify the same resource. */
export const MCP_PATH = '/mcp';
export const SSE_PATH = '/sse';

/** The end of a URL that is the URL of an endpoint, where the URL of the MCP server is meant. */
export const endpointIn = (url: string): string | undefined =>
  [MCP_PATH, SSE_PATH].find((path) => url.toLowerCase().endsWith(path));

/**
 * Every identifier of the MCP server at `url` (RFC 8707 §2). The first is the canonical one, which is the audience of its
 * tokens.
 */
export function resourceIdentifiers(url: string): [canonical: string, ...aliases: string[]] {
  return [`${url}${MCP_PATH}`, `${url}${SSE_PATH}`, url];
}

/**
 * One spelling for a resource identifier: lower-case scheme and host, no default port, no trailing slash. Anything that is
 * not an absolute URI without a fragment (RFC 8707 §2) gives `undefined`.
 */
export function canonicalResource(identifier: string): string | undefined {
  const url = URL.parse(identifier);
  if (!url || url.hash || identifier.includes('#')) return undefined;
  return url.href.replace(/\/$/, '');
}
