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
  /** Only if the upstream says that it is verified. */
  readonly email?: string | undefined;
}

/** Values that the upstream must return unchanged; made by `federation/login.ts`, stored in the login state. */
export interface LoginChecks {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

export interface Connector {
  /** The URL at the upstream to which the browser is sent. */
  begin(checks: LoginChecks): Promise<URL>;
  /**
   * Redeems the answer of the upstream.
   * @param answer the callback URL as the upstream called it: our own public URL with its query
   * @throws UpstreamError
   */
  finish(answer: URL, checks: LoginChecks): Promise<Identity>;
}

/** The dependencies of a connector. */
export interface ConnectorContext {
  /** URL to which the upstream sends the browser back: `<issuer>/callback/<connector id>`. */
  readonly callbackUrl: string;
  readonly fetch: typeof fetch;
  /** Absent: the clock of the system. */
  readonly clock?: Clock | undefined;
  /** Called for problems that do not end a sign-in. */
  readonly onTrouble?: ((message: string) => void) | undefined;
}

export interface ConnectorKind<S extends Settings = Settings> {
  /** The value of `CONNECTOR_<ID>_TYPE`. */
  readonly type: string;
  /** Text of the button if `CONNECTOR_<ID>_NAME` is not set. */
  readonly title: string;
  /** Variables after the prefix `CONNECTOR_<ID>_`. */
  readonly settings: S;
  /** Finds valid settings that contradict each other; problems are named by the variable without its prefix. */
  rules?(settings: Values<S>): readonly Problem[];
  open(settings: Values<S>, context: ConnectorContext): Connector;
}

/** Declares a connector kind; the default export of a `*.connector.ts` file. */
export const defineConnector = <S extends Settings>(kind: ConnectorKind<S>): ConnectorKind<S> => kind;

export type UpstreamReason =
  | 'denied' // the person or the upstream said no
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
