/**
 * Owns how an authorization response is read (RFC 6749 §4.1.2, RFC 9207 §2.4): whether it belongs to this sign-in and comes from
 * this upstream, its code, or the meaning of its error.
 */
import { type LoginChecks, UpstreamError, type UpstreamReason } from './connector.ts';

export interface Expected {
  readonly state: LoginChecks['state'];
  /** The expected `iss`, for the log. */
  readonly issuer: string;
  readonly isIssuer: (issuer: string) => boolean;
  /** Whether an answer without `iss` is refused, because the upstream announces that it always sends one. */
  readonly needsIssuer?: boolean;
}

/** @throws UpstreamError */
export function readAnswer({ searchParams }: URL, expected: Expected): { readonly code: string } {
  const { state, iss, code, error, description } = {
    state: single(searchParams, 'state'),
    iss: single(searchParams, 'iss'),
    code: single(searchParams, 'code'),
    error: single(searchParams, 'error'),
    description: searchParams.get('error_description') || undefined,
  };
  if (state !== expected.state)
    throw new UpstreamError('invalid_answer', 'the state does not match this sign-in', { claim: 'state' });
  if (iss ? !expected.isIssuer(iss) : expected.needsIssuer) {
    const facts = { claim: 'iss', expected: expected.issuer, found: iss ?? 'nothing' };
    throw new UpstreamError('invalid_answer', `the answer ${iss ? 'names another issuer' : 'names no issuer'}`, facts);
  }
  if (error !== undefined) {
    const facts = { upstreamError: error, upstreamDescription: description };
    throw new UpstreamError(meaningOf(error), `the upstream answered ${error}`, facts);
  }
  if (code === undefined) throw new UpstreamError('invalid_answer', 'the answer has no code', { claim: 'code' });
  return { code };
}

/** RFC 6749 §3.1: no parameter may occur twice, and an empty one counts as absent. */
function single(parameters: URLSearchParams, name: string): string | undefined {
  const values = parameters.getAll(name);
  if (values.length < 2) return values[0] || undefined;
  throw new UpstreamError('invalid_answer', `the answer has more than one ${name}`, { claim: name });
}

/** RFC 6749 §4.1.2.1: errors inside the upstream. */
const BUSY: ReadonlySet<string> = new Set(['server_error', 'slow_down', 'temporarily_unavailable']);

/**
 * The upstream refuses the request or the registration of this server (RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6,
 * RFC 8707 §2; the others are GitHub's). Only the operator can fix that.
 */
const OURS: ReadonlySet<string> = new Set([
  'application_suspended', 'invalid_client', 'invalid_redirect_uri', 'invalid_request', 'invalid_request_object',
  'invalid_request_uri', 'invalid_resource', 'invalid_scope', 'invalid_target', 'redirect_uri_mismatch', 'registration_not_supported',
  'request_not_supported', 'request_uri_not_supported', 'unauthorized_client', 'unsupported_grant_type',
  'unsupported_response_mode', 'unsupported_response_type',
]); // biome-ignore format: one list

/** Any other error concerns the person: they cancelled, or were refused. */
function meaningOf(error: string): Exclude<UpstreamReason, 'invalid_answer'> {
  if (BUSY.has(error)) return 'unavailable';
  return OURS.has(error) ? 'misconfigured' : 'denied';
}

/** RFC 6749 §5.2, and GitHub's name for it: the client secret has expired or was replaced at the upstream. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  'incorrect_client_credentials',
  'invalid_client',
  'unauthorized_client',
]);

/** Errors about the person when the code is redeemed (OpenID Connect Core 1.0 §3.1.2.6; the last two are Auth0's and GitHub's). */
const PERSONS: ReadonlySet<string> = new Set([
  'access_denied', 'account_selection_required', 'consent_required', 'interaction_required', 'login_required', 'mfa_required',
  'unverified_user_email',
]); // biome-ignore format: one list

/** The meaning of an error at the token endpoint (RFC 6749 §5.2): unknown errors concern the code. */
function meaningOfRefusal(error: string): UpstreamReason {
  if (CREDENTIALS.has(error)) return 'unavailable';
  const meaning = meaningOf(error);
  return meaning === 'denied' && !PERSONS.has(error) ? 'invalid_answer' : meaning;
}

/**
 * The error in a token response, whatever its status: GitHub and others send errors with 200.
 * @returns undefined if it contains no error
 */
export function refusalOf(body: Readonly<Record<string, unknown>>, status: number): UpstreamError | undefined {
  const error = textOf(body.error);
  if (error === undefined) return undefined;
  const facts = { upstreamError: error, upstreamDescription: textOf(body.error_description), status };
  const message = CREDENTIALS.has(error)
    ? "the upstream refused this server's credentials"
    : `the upstream answered ${error} at its token endpoint`;
  return new UpstreamError(meaningOfRefusal(error), message, facts);
}

/** Some upstreams send an object instead of a text; an empty text or `null` counts as absent. */
const textOf = (value: unknown): string | undefined => {
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
};
