/**
 * Owns the authentication of a request: only the token in the Authorization header counts (RFC 6750 §2.1), as a
 * bearer token or with a proof of the key that it is bound to (RFC 9449 §7.1). A bound token is never accepted as a
 * bearer token, nor an unbound one with a proof.
 */
import type { IncomingMessage } from 'node:http';
import type { HttpError } from '@mcp-oauth/shared/errors';
import { gather } from '@mcp-oauth/shared/http/answer';
import { isRepeated } from '@mcp-oauth/shared/http/request/head';
import type { VerifyToken } from '../../authorization/access-token.ts';
import type { VerifyProof } from '../../authorization/dpop/proof.ts';
import { ProofError } from '../../authorization/dpop/proof-error.ts';
import { shown } from '../../authorization/finding.ts';
import type { Principal } from '../../authorization/principal.ts';
import type { ScopePolicy } from '../../authorization/scope.ts';
import type { IsRevoked } from '../../authorization/status/reference.ts';
import { mendOfBaseScope } from '../../authorization/token/refusals.ts';
import type { TokenRules } from '../../authorization/token/rules.ts';
import { TokenError } from '../../authorization/token-error.ts';
import type { Challenges } from './challenges.ts';
import type { LaneRequest } from './lane-request.ts';

export interface ProtectedResource {
  readonly challenges: Challenges;
  readonly scopes: ScopePolicy;
  readonly verify: VerifyToken;
  readonly verifyProof: VerifyProof;
  /** From what is known of the status list, without waiting. */
  readonly isRevoked: IsRevoked;
  /** Whether only bound tokens are accepted (RFC 9728 §2, `dpop_bound_access_tokens_required`). */
  readonly dpopRequired: boolean;
  /** The public URL of this server. */
  readonly publicUrl: string;
  /** The variables of an issuer; absent: there is one. */
  readonly variablesOf?: ((issuer: string) => TokenRules['variable'] | undefined) | undefined;
}

const BEARER = 'bearer ';
const DPOP = 'dpop ';

const PROOF_REQUIRED = { expected: 'a DPoP proof', found: 'Bearer', setting: 'DPOP_REQUIRED' };
const BOUND = { claim: 'cnf', expected: 'a DPoP proof, as the token is bound to a key', found: 'Bearer' };
const NOT_BOUND = {
  claim: 'cnf',
  expected: 'a token that is bound to a key, as a DPoP proof comes with it',
  found: 'nothing',
};

/** @throws HttpError with a challenge; a promise rejects with the same error */
export function authenticate(request: LaneRequest, resource: ProtectedResource): Principal | Promise<Principal> {
  const { challenges, verify } = resource;
  const { authorization = '' } = request.req.headers;
  if (isRepeated(request.req, 'authorization')) {
    throw challenges.badRequest('Bearer', 'There is more than one Authorization header.', 'several_headers');
  }
  if (isOf(DPOP, authorization)) return withProof(request, resource, tokenOf(DPOP, authorization));
  if (!isOf(BEARER, authorization)) throw challenges.nothingShown(authorization ? 'other_scheme' : 'no_token');
  if (resource.dpopRequired) throw challenges.refused('DPoP', new TokenError('not_bound', PROOF_REQUIRED));
  const caller = verify(tokenOf(BEARER, authorization), request);
  if (!(caller instanceof Promise)) return asBearer(caller, request, challenges);
  return caller.then(
    (principal) => asBearer(principal, request, challenges),
    (error: unknown) => {
      throw challenges.refused('Bearer', error);
    },
  );
}

/**
 * Refuses a token that was revoked since it was checked: a client may send its body for a minute, and what then begins would not be among
 * what the change of the list has ended. @throws HttpError
 */
export function refuseRevoked({ challenges, isRevoked }: ProtectedResource, principal: Principal): void {
  if (!isRevoked(principal)) return;
  const finding = { claim: 'status', expected: 'a token that is good until its request was read', found: 'revoked' };
  throw challenges.refused(principal.keyThumbprint ? 'DPoP' : 'Bearer', new TokenError('revoked', finding));
}

/** Ensures that the principal has the scopes that the message requires. @throws HttpError */
export function requireScopes(resource: ProtectedResource, principal: Principal, message: unknown): void {
  const { scopes, challenges, variablesOf } = resource;
  const required = scopes.required(message);
  const wanted = scopes.stepUp(principal.scopes, required);
  if (!wanted) return;
  const isBase = scopes.initial.length > 0 && !scopes.covers(principal.scopes, scopes.initial);
  throw challenges.lacksScopes(principal.keyThumbprint ? 'DPoP' : 'Bearer', wanted, {
    claim: 'scope',
    expected: shown(required),
    found: shown([...principal.scopes]),
    setting: isBase ? 'BASE_SCOPE' : 'the scope that it declares, SCOPE_HIERARCHY',
    ...(isBase && { mend: mendOfBaseScope(variablesOf?.(principal.issuer)) }),
  });
}

/** The answer to a request of which only the run has shown that it needs this scope, such as that of an account to connect. */
export function lacksScope({ scopes, challenges }: ProtectedResource, principal: Principal, scope: string): HttpError {
  const wanted = scopes.widened(principal.scopes, [...scopes.initial, scope]);
  const finding = { claim: 'scope', expected: scope, found: shown([...principal.scopes]), setting: 'UPSTREAMS' };
  return challenges.lacksScopes(principal.keyThumbprint ? 'DPoP' : 'Bearer', wanted, finding);
}

/** The token of an authenticated request. */
export const accessTokenOf = ({ headers: { authorization = '' } }: IncomingMessage): string =>
  tokenOf(isOf(DPOP, authorization) ? DPOP : BEARER, authorization);

/** RFC 9449 §7.2: a stolen token must not become usable by leaving out the proof. */
function asBearer(principal: Principal, request: LaneRequest, challenges: Challenges): Principal {
  if (principal.keyThumbprint === undefined) return principal;
  request.principal = principal;
  throw challenges.refused('Bearer', new TokenError('sender_constrained', BOUND));
}

async function withProof(request: LaneRequest, resource: ProtectedResource, token: string): Promise<Principal> {
  const { verify, verifyProof, challenges, publicUrl } = resource;
  const { req, res, method, path } = request;
  try {
    const principal = await verify(token, request);
    request.principal = principal;
    if (principal.keyThumbprint === undefined) throw new TokenError('not_bound', NOT_BOUND);
    const { dpop } = req.headers;
    const proof = typeof dpop === 'string' ? dpop : undefined;
    const nonce = await verifyProof({ proof, method, url: `${publicUrl}${path}`, token, principal }).catch((error) => {
      if (isAttack(error)) {
        const { subject, clientId } = principal;
        request.log.warn(
          { security: true, reason: error.reason, subject, client: clientId },
          'proof of a token refused',
        );
        request.audit?.({ event: 'proof.refused', outcome: 'refused', reason: error.reason });
      }
      throw error;
    });
    if (nonce) gather(res, ['DPoP-Nonce', nonce]);
    return principal;
  } catch (error) {
    throw challenges.refused('DPoP', error);
  }
}

/** Errors that a correct client never causes. */
const isAttack = (error: unknown): error is ProofError | TokenError =>
  error instanceof TokenError || (error instanceof ProofError && error.reason === 'proof_used_twice');

const isOf = (scheme: string, authorization: string): boolean =>
  `${authorization.slice(0, scheme.length).toLowerCase()} `.startsWith(scheme);

const tokenOf = (scheme: string, authorization: string): string => authorization.slice(scheme.length).trimStart();
