/**
 * Owns the reading of a subject token: an access token of this server (RFC 9068), checked with its own keys. An id token, a refresh
 * token or a token of anybody else is none, and neither is the token of a machine, which acts for no person.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { ACCESS_TOKEN_TYPE } from '@mcp-oauth/shared/contract';
import { isObject } from '@mcp-oauth/shared/json';
import type { StatusClaim } from '@mcp-oauth/shared/status-list/status-list';
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { publicPart, type SigningKeys } from '../keys/signing-key.ts';
import { type Actor, actorIn } from './actors.ts';
import { badSubject } from './refusal.ts';

export interface Subject {
  readonly accountId: string;
  /** The client that the person uses: the one to which the token was issued, or of a chain the first token. */
  readonly clientId: string;
  readonly audience: string;
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Who has acted for the person already. */
  readonly actor: Actor | undefined;
  /** RFC 9449 §6: the token is bound to a key. */
  readonly isBound: boolean;
  /** Shared with all tokens of the same grant, and marked when that ends. */
  readonly status: StatusClaim['status_list'];
}

/** @throws ExchangeRefused */
export type ReadSubject = (token: string) => Promise<Subject>;

interface Options {
  readonly issuer: string;
  readonly keys: SigningKeys;
  readonly clock: Clock;
}

/** Claim of a token of a chain: the client of its first token. Its `client_id` and `act` name the servers between only. */
export const FIRST_CLIENT = 'first_client_id';

const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

export function createSubjectReader({ issuer, keys, clock }: Options): ReadSubject {
  const published = createLocalJWKSet({ keys: keys.map(publicPart) });
  const algorithms = [...new Set(keys.map(({ alg }) => alg))];
  return async (token) => {
    if (!COMPACT.test(token)) throw badSubject('it is no JWT');
    const options = { issuer, algorithms, typ: ACCESS_TOKEN_TYPE, currentDate: new Date(clock.now()) };
    const { payload } = await jwtVerify(token, published, options).catch((error: Error) => {
      // The messages of the library name claims and headers, and never quote the token.
      throw badSubject(error.message);
    });
    return subjectOf(payload);
  };
}

/** @param claims of a token that this server has signed */
function subjectOf(claims: JWTPayload): Subject {
  const { sub, client_id: clientId, aud, scope, exp, cnf, act, status } = claims;
  if (typeof sub !== 'string' || typeof clientId !== 'string') throw badSubject('it has no sub or client_id');
  // RFC 9068 §2.2: a client that acts for itself is its own subject.
  if (sub === clientId) throw badSubject('it is the token of a machine, which acts for no person');
  const first = claims[FIRST_CLIENT];
  if (typeof aud !== 'string' || exp === undefined) throw badSubject('it has no single audience, or no exp');
  const actor = actorIn(act);
  if (act !== undefined && !actor) throw badSubject('too many clients have acted already');
  const reference = isObject(status) ? status.status_list : undefined;
  if (!isObject(reference)) throw badSubject('it refers to no status list');
  return {
    accountId: sub,
    clientId: typeof first === 'string' ? first : clientId,
    audience: aud,
    scopes: typeof scope === 'string' ? scope.split(' ') : [],
    expiresAt: exp,
    actor,
    isBound: cnf !== undefined,
    status: reference as Subject['status'],
  };
}
