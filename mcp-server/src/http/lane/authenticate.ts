/** Owns the way from a request to its principal: the token of the Authorization header and no other (RFC 6750 §2.1). */
import type { IncomingMessage } from 'node:http';
import { HttpError } from '@mcp-oauth/shared/errors';
import type { VerifyToken } from '../../authorization/access-token.ts';
import { type Challenge, challenge } from '../../authorization/challenge.ts';
import type { Principal } from '../../authorization/principal.ts';
import type { ScopePolicy } from '../../authorization/scope.ts';
import { TokenError } from '../../authorization/token-error.ts';

export interface ProtectedResource {
  /** URL of its RFC 9728 document: `/mcp` and `/sse` have one each, and strict clients compare. */
  readonly metadataUrl: string;
  readonly scopes: ScopePolicy;
  readonly verify: VerifyToken;
}

/** @throws HttpError with a challenge; the promise, for a token that is not known yet, rejects with the same */
export function authenticate(req: IncomingMessage, resource: ProtectedResource): Principal | Promise<Principal> {
  const { authorization = '' } = req.headers;
  if (isRepeated(req, 'authorization')) {
    throw refuse(resource, 400, 'invalid_request', 'There is more than one Authorization header.', 'several_headers');
  }
  // RFC 6750 §3: another scheme is no attempt to show a bearer token.
  if (!/^bearer(?: |$)/i.test(authorization)) throw unauthorized(resource, authorization ? 'other_scheme' : 'no_token');
  const caller = resource.verify(authorization.slice('bearer '.length).trimStart());
  return caller instanceof Promise ? caller.catch((error: unknown) => refuseToken(resource, error)) : caller;
}

/** Lets a request pass when its principal has the scopes that it needs. @throws HttpError */
export function requireScopes(
  { scopes, metadataUrl }: ProtectedResource,
  principal: Principal,
  message: unknown,
): void {
  const wanted = scopes.stepUp(principal.scopes, scopes.required(message));
  if (!wanted) return;
  const description = 'The access token lacks a scope that this request needs.';
  throw challenged(403, { resourceMetadata: metadataUrl, scopes: wanted, error: 'insufficient_scope', description });
}

/** RFC 6750 §2.3: not even beside a header may a token stand in the URL. */
export const refuseTokenInUrl = (resource: ProtectedResource): HttpError =>
  refuse(resource, 400, 'invalid_request', 'Access tokens are not accepted in the URL.', 'token_in_query');

/** Node keeps the first of several and says nothing. */
function isRepeated({ rawHeaders }: IncomingMessage, name: string): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i];
    if (header?.length === name.length && header.toLowerCase() === name) count += 1;
  }
  return count > 1;
}

function refuseToken(resource: ProtectedResource, error: unknown): never {
  if (!(error instanceof TokenError)) throw error;
  if (error.reason !== 'keys_unavailable') throw invalidToken(resource, error.reason);
  throw new HttpError(503, 'temporarily_unavailable', "The issuer's keys can't be fetched. Please try again.", {
    reason: error.reason,
    headers: { 'Retry-After': '5' },
    cause: error,
  });
}

const unauthorized = ({ metadataUrl, scopes }: ProtectedResource, reason: string): HttpError =>
  new HttpError(401, 'unauthorized', 'Unauthorized: an access token is needed.', {
    reason,
    headers: { 'WWW-Authenticate': challenge({ resourceMetadata: metadataUrl, scopes: scopes.initial }) },
  });

const invalidToken = (resource: ProtectedResource, reason: string): HttpError =>
  refuse(resource, 401, 'invalid_token', 'Unauthorized: the access token is invalid or has expired.', reason);

function refuse(
  { metadataUrl, scopes }: ProtectedResource,
  status: number,
  error: 'invalid_request' | 'invalid_token',
  description: string,
  reason: string,
): HttpError {
  return challenged(status, { resourceMetadata: metadataUrl, scopes: scopes.initial, error, description }, reason);
}

function challenged(status: number, parts: Required<Challenge>, reason: string = parts.error): HttpError {
  return new HttpError(status, parts.error, parts.description, {
    reason,
    headers: { 'WWW-Authenticate': challenge(parts) },
  });
}
