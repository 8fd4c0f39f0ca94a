/**
 * Owns the port to identity providers: what a connector kind declares, what an opened connector does, and the identity that it
 * returns. One kind is one file in connectors/.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Problem, Settings, Values } from '@mcp-oauth/shared/settings/config';

/** A person as the upstream knows them. Only `issuer` and `subject` identify the person; everything else may change or be reused. */
export interface Identity {
  /** The upstream's issuer identifier, or its base URL if it has none (GitHub). */
  readonly issuer: string;
  /** Stable and never reassigned at that issuer: `sub`, or GitHub's numeric id. */
  readonly subject: string;
  readonly name?: string | undefined;
  readonly username?: string | undefined;
  /** For display, and only if the upstream says that it is verified. */
  readonly email?: string | undefined;
  /** Every address that the upstream says is verified. Only these count in a rule. */
  readonly verifiedEmails?: readonly string[] | undefined;
  /** An address that the upstream does not verify: no rule matches it, and the log says so. */
  readonly unverifiedEmail?: string | undefined;
  /** Domains that the upstream vouches for, such as Google's `hd`. Absent: the domains of `verifiedEmails`. */
  readonly domains?: readonly string[] | undefined;
  /** What the person is at the upstream, compared by rules. Names and ids may both be listed. */
  readonly memberships?: Readonly<Partial<Record<Membership, readonly string[]>>> | undefined;
  /** The organisations of `memberships.org`, each once. Absent: each value of it is an organisation. */
  readonly organizations?: readonly Organization[] | undefined;
  /** Memberships and addresses that the upstream did not list completely, each with the reason for the log. */
  readonly incomplete?: Readonly<Partial<Record<Membership | 'email', string>>> | undefined;
  /**
   * What was stored of the person, in a stored identity: types of rules, and paths of claims as `claim:<path>`. A rule about anything
   * else can't be decided before the next sign-in. Absent: the upstream has just said everything.
   */
  readonly known?: readonly string[] | undefined;
  /** The claims of the id token and of userinfo. Rules and claims of access tokens are read from them by path. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

interface Organization {
  readonly id: string;
  readonly name?: string | undefined;
}

/** The memberships of a person that a connector can report. */
export type Membership = 'group' | 'role' | 'org' | 'team' | 'user';

/** The types of rules that decide about a person: access/rules/rule.ts. */
export type RuleType = Membership | 'domain' | 'email' | 'subject' | 'claim';

/** Which accounts of the upstream a setting of the connector accepts, before any rule about people. */
export interface Acceptance {
  /** The variable of the setting, without its prefix. */
  readonly env: string;
  /** What it names, for the log line at start. */
  readonly named: readonly string[];
  /** The types of rules that compare the same of a stored identity. Absent: issuer and subject are enough. */
  readonly needs?: readonly RuleType[] | undefined;
  /** For the log, why the account is not accepted. `undefined`: it is accepted, or nothing is known of it that the setting compares. */
  refusalOf(identity: Identity): string | undefined;
}

/** What a connector needs to ask its upstream again, without the person. It is stored encrypted, and only the connector reads it. */
export interface UpstreamSession {
  readonly refreshToken?: string | undefined;
  readonly accessToken?: string | undefined;
  /** When the access token expires, in seconds since the epoch. */
  readonly expiresAt?: number | undefined;
  /** The session of the person at the upstream (OpenID Connect Front-Channel Logout 1.0 §3 `sid`). */
  readonly sid?: string | undefined;
  /** The claims of the last id token: the next one must fit them, and they complete what userinfo says (OpenID Connect Core 1.0 §12.2). */
  readonly idToken?: Readonly<Record<string, unknown>> | undefined;
}

export interface SignIn {
  readonly identity: Identity;
  readonly session?: UpstreamSession | undefined;
  /** When the person proved at the upstream who they are, in seconds since the epoch (`auth_time`). Absent: the upstream does not say. */
  readonly authenticatedAt?: number | undefined;
}

export interface BeginOptions {
  /** Whether the upstream should let the person choose another account. */
  readonly selectAccount?: boolean | undefined;
  /** Whether the upstream should ask the person to prove again who they are, although they are signed in there. */
  readonly reauthenticate?: boolean | undefined;
}

/** Values that the upstream must return unchanged; made by `federation/login.ts`, stored in the login state. */
export interface LoginChecks {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

export interface Connector {
  /** The URL at the upstream to which the browser is sent. */
  begin(checks: LoginChecks, options?: BeginOptions): Promise<URL>;
  /**
   * Redeems the answer of the upstream.
   * @param answer the callback URL as the upstream called it: our own public URL with its query
   * @throws UpstreamError
   */
  finish(answer: URL, checks: LoginChecks): Promise<SignIn>;
  /**
   * The identity that these claims would give, without a request: for the command `people check`. Absent: it cannot say.
   * @throws UpstreamError
   */
  identify?(claims: Readonly<Record<string, unknown>>): Promise<Identity>;
  /** Seconds between two questions about a person that the upstream allows. Absent: as often as UPSTREAM_RECHECK says. */
  readonly recheckEvery?: number | undefined;
  /**
   * Asks the upstream again about a person who has signed in. Absent: the upstream cannot be asked without the person.
   * @param renewed called with each new session before anything else is asked, because a refresh token may be good for one use
   * @param signal aborted when the answer comes too late: requests to the upstream end with it
   * @throws UpstreamError; `denied` is final: the upstream refuses the person. Every other reason says nothing about the person
   */
  recheck?(
    session: UpstreamSession,
    renewed: (session: UpstreamSession) => Promise<void>,
    signal: AbortSignal,
  ): Promise<SignIn>;
  /** Absent: the upstream neither reports that a person signed out there, nor has a page for it that is known here. */
  readonly logout?: UpstreamLogout | undefined;
  /** Absent: tools get no tokens of this upstream. */
  readonly tools?: ToolAccess | undefined;
}

/** What a person allows at the page of the upstream: tokens with which tools act for them. */
export interface Connected {
  readonly session: UpstreamSession;
  /** Those of the requested scopes that the upstream has given, in the names in which they were requested. */
  readonly scopes: readonly string[];
  /** Absent: the upstream does not say whose account it is. */
  readonly identity?: Identity | undefined;
}

export interface ToolScopes {
  readonly scopes: readonly string[];
  /** What the person signs in with at the upstream. */
  readonly loginHint?: string | undefined;
}

type Held = Pick<Connected, 'session' | 'scopes'>;

/** How an upstream gives tokens to tools. Its sessions are apart from those of a sign-in: they have other tokens and scopes. */
export interface ToolAccess {
  /** The URL at the upstream to which the browser is sent. */
  begin(checks: LoginChecks, request: ToolScopes): Promise<URL>;
  /**
   * Redeems the answer of the upstream.
   * @param answer the callback URL as the upstream called it
   * @param requested the scopes that `begin` got
   * @throws UpstreamError
   */
  finish(answer: URL, checks: LoginChecks, requested: readonly string[]): Promise<Connected>;
  /**
   * Exchanges the refresh token of a session that has one. It may be good for one use, so nothing else is asked.
   * @param signal aborted when the answer comes too late: the request ends with it
   * @throws UpstreamError; after `denied` and `ended` only the person can connect the account again
   */
  refresh(connected: Held, signal: AbortSignal): Promise<Held>;
  /**
   * Whether the upstream accepts the access token: an API may refuse a token that is good. `undefined`: it can't be told.
   * @throws UpstreamError
   */
  isAccepted?(session: UpstreamSession, signal: AbortSignal): Promise<boolean | undefined>;
  /** Ends the tokens at the upstream. Absent: it can't, or a sign-in there would end with them. @throws UpstreamError */
  revoke?(session: UpstreamSession, signal: AbortSignal): Promise<void>;
}

/** What a logout token of the upstream says (OpenID Connect Back-Channel Logout 1.0 §2.4). It has a subject, a `sid`, or both. */
export interface LogoutToken {
  readonly issuer: string;
  /** As in the identities of the connector. */
  readonly subject?: string | undefined;
  /** One session of the person at the upstream. Absent: all of them. */
  readonly sid?: string | undefined;
  /** Unique at that issuer. */
  readonly jti: string;
}

export interface UpstreamLogout {
  /** Whether a logout at the upstream ends approvals here as well, and not browser sessions only. */
  readonly endsApprovals: boolean;
  /**
   * Validates everything but whether the token was used before. Absent: the upstream sends no logout tokens.
   * @throws UpstreamError
   */
  readToken?(token: string): Promise<LogoutToken>;
  /**
   * The page at the upstream where the person can sign out there, or `undefined` if it has none.
   * @param hint what the person signs in with at the upstream
   */
  page(hint: string | undefined): Promise<URL | undefined>;
}

/** The dependencies of a connector. */
export interface ConnectorContext {
  /** URL to which the upstream sends the browser back: `<issuer>/callback/<connector id>`. */
  readonly callbackUrl: string;
  readonly fetch: typeof fetch;
  /** Absent: the clock of the system. */
  readonly clock?: Clock | undefined;
  /** The types of rules that are configured for it: the connector asks for no more than these need. Absent: none. */
  readonly needs?: { has(type: RuleType): boolean } | undefined;
  /** What the connector is for. Absent: signing people in. */
  readonly uses?: readonly Use[] | undefined;
  /** Called for problems that do not end a sign-in. */
  readonly onTrouble?: ((message: string) => void) | undefined;
}

/** What a connector may be for (USE). */
export type Use = 'sign-in' | 'tools';

/** A connector with which nobody signs in. */
export interface ToolConnector {
  readonly tools: ToolAccess;
}

/** What a kind has for tools. */
interface ToolsOfKind {
  /** Whether its tokens have no use without scopes that the operator names. */
  readonly needsScopes: boolean;
  /** Whether nobody can sign in with it. */
  readonly isAlone?: true | undefined;
}

type Openable = Connector | ToolConnector;

export interface ConnectorKind<S extends Settings = Settings, C extends Openable = Openable> {
  /** The value of `CONNECTOR_<ID>_TYPE`. */
  readonly type: string;
  /** Text of the button if `CONNECTOR_<ID>_NAME` is not set. */
  readonly title: string;
  /** Variables after the prefix `CONNECTOR_<ID>_`. */
  readonly settings: S;
  /** Variables of other kinds that would have no effect here, each with the reason, which the error at start gives. */
  readonly lacks?: Readonly<Record<string, string>> | undefined;
  /** Absent: tools get no tokens of its upstreams. */
  readonly tools?: ToolsOfKind | undefined;
  /** The types of rules that its identities support. Absent: domain, email, subject, group, role and claim. */
  readonly ruleTypes?: readonly RuleType[] | undefined;
  /** The types of rules whose values are compared without case. */
  readonly caseInsensitive?: readonly RuleType[] | undefined;
  /** Finds valid settings that contradict each other; problems are named by the variable without its prefix. */
  rules?(settings: Values<S>): readonly Problem[];
  /** Which accounts the settings accept, whatever the rules say. Absent: all. */
  acceptance?(settings: Values<S>): Acceptance | undefined;
  open(settings: Values<S>, context: ConnectorContext): C;
}

/** Declares a connector kind; the default export of a `*.connector.ts` file. */
export const defineConnector = <S extends Settings>(kind: ConnectorKind<S, Connector>): ConnectorKind<S, Connector> =>
  kind;

/** The same for a kind with which nobody signs in. */
export const defineToolConnector = <S extends Settings>(
  kind: ConnectorKind<S, ToolConnector>,
): ConnectorKind<S, ToolConnector> => kind;

export type UpstreamReason =
  | 'denied' // the person or the upstream said no
  | 'ended' // the session at the upstream has ended; the person has to sign in again
  | 'unavailable' // not reachable, answered with a server error, or no longer accepts this server's credentials
  | 'misconfigured' // the upstream does not accept what this server is set up to ask for
  | 'invalid_answer'; // forged, replayed, foreign or malformed

/** Details for the log. Values are truncated, escaped and redacted when they are logged, not before. */
export interface UpstreamFacts {
  /** Error code that the upstream sent (RFC 6749 §4.1.2.1, §5.2), and its description. */
  readonly upstreamError?: string | undefined;
  readonly upstreamDescription?: string | undefined;
  /** The claim, header parameter or member that is wrong, its expected value, and the value found. */
  readonly claim?: string | undefined;
  readonly expected?: unknown;
  readonly found?: unknown;
  /** HTTP status of the upstream's answer. */
  readonly status?: number | undefined;
}

/** A sign-in that the upstream did not complete. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly reason: UpstreamReason;
  readonly facts: UpstreamFacts;

  constructor(reason: UpstreamReason, message: string, details: UpstreamFacts & { readonly cause?: unknown } = {}) {
    const { cause, ...facts } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.facts = facts;
  }
}
