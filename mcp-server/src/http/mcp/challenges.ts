/**
 * Owns the answers to requests that are not authorized: the supported schemes, and the error (RFC 6750 §3, RFC 9449
 * §7).
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import { type Challenge, challenge } from '../../authorization/challenge.ts';
import { ProofError } from '../../authorization/dpop/proof-error.ts';
import type { Finding } from '../../authorization/finding.ts';
import { mendOf } from '../../authorization/token/refusals.ts';
import { TokenError, type TokenReason } from '../../authorization/token-error.ts';

export interface Challenges {
  /** A request without a token, or with another scheme (RFC 6750 §3: not an attempt to authenticate). */
  nothingShown(reason: string): HttpError;
  /** A request with a malformed Authorization header. */
  badRequest(scheme: Scheme, description: string, reason: string): HttpError;
  /** Converts an error of the check of a token or a proof; returns any other error unchanged. */
  refused(scheme: Scheme, thrown: unknown): unknown;
  lacksScopes(scheme: Scheme, wanted: readonly string[], finding: Finding): HttpError;
}

type Scheme = Challenge['scheme'];

export interface ChallengeOptions {
  /** URL of the RFC 9728 document of a resource: `/mcp` and `/sse` have one each, and strict clients compare it. */
  readonly resourceMetadata: string;
  /** The scopes that a client without a token asks for first. */
  readonly scopes: readonly string[];
  /** Whether only bound tokens are accepted. */
  readonly dpopRequired: boolean;
}

const INVALID_TOKEN = 'Unauthorized: the access token is invalid or has expired.';
const LACKS_SCOPE = 'The access token lacks a scope that this request needs.';
const INVALID_PROOF = 'Unauthorized: the DPoP proof is not one for this request.';
const USE_NONCE = 'Unauthorized: the DPoP proof needs the nonce of this answer.';

export function createChallenges({ resourceMetadata, scopes, dpopRequired }: ChallengeOptions): Challenges {
  const common = { resourceMetadata, scopes };
  const bare = (scheme: Scheme): string => challenge({ ...common, scheme });
  // Bearer comes first: clients that know only one scheme read only the first challenge.
  const all = dpopRequired ? bare('DPoP') : `${bare('Bearer')}, ${bare('DPoP')}`;

  /** RFC 9449 §7.2: a request that failed as a bearer gets both challenges; one with a key only gets DPoP. */
  const failed = (status: number, parts: Omit<Challenge, 'resourceMetadata'>, details: Details = {}): HttpError => {
    const { error = 'invalid_request', description = '', scheme } = parts;
    const other = scheme === 'Bearer' && status === 401 ? `, ${bare('DPoP')}` : '';
    const header = { 'WWW-Authenticate': challenge({ resourceMetadata, ...parts }) + other };
    return new HttpError(status, error, description, { ...details, headers: { ...header, ...details.headers } });
  };

  const invalidToken = (scheme: Scheme, cause: TokenError): HttpError =>
    failed(
      401,
      { scheme, scopes, error: 'invalid_token', description: INVALID_TOKEN },
      { reason: cause.reason, facts: factsOf(cause), cause },
    );

  const invalidProof = (cause: ProofError): HttpError => {
    const { reason, nonce } = cause;
    const error = nonce ? 'use_dpop_nonce' : 'invalid_dpop_proof';
    const description = nonce ? USE_NONCE : INVALID_PROOF;
    const headers: Record<string, string> = nonce ? { 'DPoP-Nonce': nonce } : {};
    return failed(
      401,
      { scheme: 'DPoP', scopes, error, description },
      { reason, facts: cause.finding, cause, headers },
    );
  };

  return {
    nothingShown: (reason) =>
      new HttpError(401, 'unauthorized', 'Unauthorized: an access token is needed.', {
        reason,
        headers: { 'WWW-Authenticate': all },
      }),
    badRequest: (scheme, description, reason) =>
      failed(400, { scheme, scopes, error: 'invalid_request', description }, { reason }),
    refused: (scheme, thrown) => {
      if (thrown instanceof ProofError)
        return thrown.reason === 'replays_unknown' ? later(thrown) : invalidProof(thrown);
      if (!(thrown instanceof TokenError)) return thrown;
      if (thrown.reason === 'too_many_unknown') return tooMany(thrown);
      return OF_ISSUER.has(thrown.reason) ? later(thrown) : invalidToken(scheme, thrown);
    },
    lacksScopes: (scheme, wanted, facts) =>
      failed(403, { scheme, scopes: wanted, error: 'insufficient_scope', description: LACKS_SCOPE }, { facts }),
  };
}

interface Details {
  readonly reason?: string;
  readonly facts?: Finding;
  readonly cause?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const factsOf = (cause: TokenError | ProofError): Finding =>
  cause instanceof TokenError ? { ...cause.finding, mend: mendOf(cause.reason, cause.variable) } : cause.finding;

/** The token is not to blame: its issuer can't be asked. */
const OF_ISSUER: ReadonlySet<TokenReason> = new Set([
  'keys_unavailable',
  'introspection_unavailable',
  'status_unavailable',
]);

/** RFC 6585 §4 */
const tooMany = (cause: TokenError): HttpError =>
  new HttpError(429, 'too_many_requests', 'Too many unknown access tokens from your address. Please try again later.', {
    reason: cause.reason,
    facts: factsOf(cause),
    headers: { 'Retry-After': '60' },
    cause,
  });

/** Not an error of the client: a dependency of the check is unavailable. */
const later = (cause: TokenError | ProofError): HttpError =>
  new HttpError(503, 'temporarily_unavailable', "The access token can't be checked now. Please try again.", {
    reason: cause.reason,
    facts: factsOf(cause),
    headers: { 'Retry-After': '5' },
    cause,
  });
