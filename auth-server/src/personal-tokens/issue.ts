/**
 * Owns how a token comes into being: a status reference, a record, a JWT (RFC 9068) with a key of the personal ring. The record is
 * written before the token exists, so that no token is outside of the list of its owner.
 */
import { randomBytes } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { ACCESS_TOKEN_TYPE } from '@mcp-oauth/shared/contract';
import { importJWK, SignJWT } from 'jose';
import type { SigningKey } from '../keys/signing-key.ts';
import type { Resource } from '../resources/resource.ts';
import type { StatusLists } from '../revocation/status-lists.ts';
import type { Owners } from './owners.ts';
import { statesOf } from './states.ts';
import { clientOf, MOST_TOKENS, type Owner, type PersonalToken, subjectOf, TokenRefused } from './token.ts';
import type { TokenRecords } from './token-records.ts';

export interface IssueDependencies {
  readonly issuer: string;
  readonly clock: Clock;
  readonly records: TokenRecords;
  readonly owners: Owners;
  readonly status: Pick<StatusLists, 'allocate' | 'uriOf'>;
  /** The key of the personal ring that signs now. */
  readonly signing: () => SigningKey;
}

/** What a token is made of, after everything was checked. */
export interface Granted {
  readonly owner: Owner;
  readonly name: string;
  readonly resource: Pick<Resource, 'identifiers' | 'audience'>;
  readonly scopes: readonly string[];
  /** Seconds. */
  readonly lifetime: number;
  /** What the token says about its person. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Identifies the form that asks, so that it makes one token however often it is sent. */
  readonly id?: string | undefined;
}

/** The only place where the token itself exists. */
export interface IssuedToken {
  readonly token: string;
  readonly record: PersonalToken;
}

export async function issueToken(granted: Granted, dependencies: IssueDependencies): Promise<IssuedToken> {
  const { issuer, clock, records, owners, status, signing } = dependencies;
  const { owner, name, resource, scopes, lifetime, claims, id = newId() } = granted;
  const subject = subjectOf(owner);
  // Before anything is written: who asks again for the same token takes no entry of a status list.
  refuseFull(await records.of(subject), id);
  const createdAt = seconds(clock);
  const expiresAt = createdAt + lifetime;
  const reference = await status.allocate();
  const states = statesOf(claims);
  const record: PersonalToken = {
    ...{ id, name, resource: resource.identifiers[0], scopes, createdAt, expiresAt, status: reference },
    ...(states.length > 0 && { states }),
  };
  await owners.add(subject, expiresAt);
  await records.change(subject, (tokens) => {
    refuseFull(tokens, id);
    return [...tokens, record];
  });
  const key = signing();
  const token = await new SignJWT({
    ...claims,
    client_id: clientOf(owner),
    scope: scopes.join(' '),
    status: { status_list: { idx: reference.idx, uri: status.uriOf(reference.list) } },
  })
    .setProtectedHeader({ alg: key.alg, typ: ACCESS_TOKEN_TYPE, kid: key.kid })
    .setIssuer(issuer)
    .setSubject(subject)
    .setAudience(resource.audience)
    .setJti(id)
    .setIssuedAt(createdAt)
    .setExpirationTime(expiresAt)
    .sign(await importJWK(key, key.alg));
  return { token, record };
}

/** Never begins with a hyphen, so that a command line does not take it for an option. */
const newId = (): string => randomBytes(10).toString('hex');

function refuseFull(tokens: readonly PersonalToken[], id: string): void {
  if (tokens.some((token) => token.id === id)) {
    throw new TokenRefused('made already', 'this token was made already, and is not shown again');
  }
  if (tokens.length < MOST_TOKENS) return;
  throw new TokenRefused('too many', `there are ${MOST_TOKENS} tokens already: end some first`);
}
