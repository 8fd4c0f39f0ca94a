/** Owns the parameters of the authorization request that is explained, and the requests that test one group of them each. */
import { createHash } from 'node:crypto';

/** A parameter may be repeated. */
export type Pairs = readonly (readonly [name: string, value: string])[];

export interface Request {
  readonly clientId: string | undefined;
  /** All other parameters. */
  readonly pairs: Pairs;
  /** URL of the authorization request as a client has built it; absent: only the named parameters are tested. */
  readonly url?: URL | undefined;
}

export function requestOf(url: URL): Request {
  const all = [...url.searchParams];
  const at = all.findIndex(([name]) => name === 'client_id');
  // A second client_id is a fault of the request, so it stays.
  return { clientId: all[at]?.[1], pairs: all.filter((_, n) => n !== at), url };
}

export const valuesOf = (pairs: Pairs, name: string): readonly string[] =>
  pairs.filter(([other]) => other === name).map(([, value]) => value);

export const only = (pairs: Pairs, names: readonly string[]): Pairs => pairs.filter(([name]) => names.includes(name));

/** Parameters that are tested together, because each is meaningless without the other. */
export interface Group {
  readonly check: 'response type' | 'PKCE' | 'request object' | 'DPoP' | 'other parameters';
  readonly names: readonly string[];
  /** Whether a request without these parameters is tested as well. */
  readonly isExpected?: true;
  /** Whether the values may be shown: others may name a person or contain a token. */
  readonly isShown?: true;
}

const GROUPS: readonly Group[] = [
  { check: 'response type', names: ['response_type', 'response_mode'], isExpected: true, isShown: true },
  { check: 'PKCE', names: ['code_challenge', 'code_challenge_method'], isExpected: true, isShown: true },
  { check: 'request object', names: ['request'] },
  { check: 'DPoP', names: ['dpop_jkt'], isShown: true },
];

const TESTED_APART = ['redirect_uri', 'resource', 'scope', ...GROUPS.flatMap(({ names }) => names)];

/** The groups that a request of a client has or should have. */
export function groupsOf(pairs: Pairs): readonly Group[] {
  const others = [...new Set(pairs.map(([name]) => name))].filter((name) => !TESTED_APART.includes(name));
  const all: readonly Group[] = [...GROUPS, { check: 'other parameters', names: others }];
  return all.filter(({ names, isExpected }) => isExpected || only(pairs, names).length > 0);
}

const CHALLENGE = createHash('sha256').update('a-verifier-that-is-never-sent-and-long-enough').digest('base64url');

/** What every authorization request needs (OAuth 2.1 §4.1.1): the rest of a request of which one group is tested. */
const NEEDED: Pairs = [
  ['response_type', 'code'],
  ['code_challenge', CHALLENGE],
  ['code_challenge_method', 'S256'],
];

export const authorizePath = (clientId: string | undefined, pairs: Pairs): string =>
  `/authorize?${new URLSearchParams([...(clientId === undefined ? [] : [['client_id', clientId]]), ...pairs] as [string, string][])}`;

/** A request with the tested parameters, which takes everything that they do not decide from a correct one. */
export const testPath = (clientId: string | undefined, tested: Pairs, names: readonly string[] = []): string =>
  authorizePath(clientId, [...NEEDED.filter(([name]) => !names.includes(name)), ...tested]);
