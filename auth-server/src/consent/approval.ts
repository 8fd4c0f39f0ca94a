/**
 * Owns the list of facts that the sign-in page shows, and everything derived from it: the token of its form (RFC 9700 §4.7), the
 * approval that waits for the upstream, and the stored approval. A fact that is not in the list is not approved.
 */
import { createHash, createHmac } from 'node:crypto';
import { placeOf } from '../clients/loopback.ts';
import type { PendingInteraction } from './interaction.ts';

/**
 * Names, not texts: the operator's texts for a scope or a resource may differ between replicas for a moment. The client’s own
 * texts are part of `identity`, whether they came from its host or from the operator’s copy.
 */
const FACTS = {
  client: ({ client }) => client.id,
  byOperator: ({ client }) => client.byOperator === true,
  identity: ({ client }) => client.identity,
  redirectUri: ({ redirectUri }) => placeOf(redirectUri),
  // A code is never shown twice, so the approval of a device is never remembered for another one.
  userCode: ({ userCode }) => userCode,
  resource: ({ resource }) => resource.identifier,
  scopes: ({ scopes, ownScopes = [] }) => [...scopes.map(({ name }) => name), ...ownScopes].sort(),
  claims: ({ claims = [] }) => [...claims].sort(),
  upstreams: (pending) => upstreamsIn(pending).map(({ connector, scopes }) => [connector, ...scopes]),
  account: ({ accountId }) => accountId ?? null,
} as const satisfies Record<string, (pending: PendingInteraction) => unknown>;

type Fact = keyof typeof FACTS;

const upstreamsIn = ({ scopes }: PendingInteraction) => scopes.flatMap(({ upstream }) => upstream ?? []);

/** Facts that are left out where they are absent, as they were before there were any. */
const isAbsent = (name: string, pending: PendingInteraction): boolean =>
  (name === 'claims' && !pending.claims?.length) ||
  (name === 'userCode' && pending.userCode === undefined) ||
  (name === 'upstreams' && upstreamsIn(pending).length === 0);

/** The list as text: two pages with the same facts have the same text. */
const written = (pending: PendingInteraction, ...without: readonly Fact[]): string =>
  JSON.stringify(
    Object.entries(FACTS)
      .filter(([name]) => !without.includes(name as Fact) && !isAbsent(name, pending))
      .map(([name, fact]) => [name, canonical(fact(pending))]),
  );

/** Sorts members by name, because stored documents may return them in any order. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, canonical(member)]));
};

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Digest of what was approved before the redirect to the upstream: everything but the account, which the upstream returns. */
export const approvalOf = (pending: PendingInteraction): string =>
  digest(JSON.stringify([pending.uid, written(pending, 'account')]));

/** The token of the form on the page: valid for one interaction with exactly these facts, and only this server can make it. */
export const formToken = (key: string, pending: PendingInteraction): string =>
  createHmac('sha256', key)
    .update(JSON.stringify(['form', pending.uid, written(pending)]))
    .digest('base64url');

/** A stored approval: a digest of all facts but the lists, and what of each list was approved together with them. */
export interface Approval {
  readonly facts: string;
  readonly scopes: readonly string[];
  /** What which resource may learn about the person; absent: nothing. */
  readonly tells?: { readonly resource: string; readonly claims: readonly string[] } | undefined;
}

/** Maximum number of stored approvals per client and account. The oldest is dropped first; its page is then shown again. */
const MOST = 20;

/** What tools may do at an upstream is compared with what the person has connected there, at each request. */
const factsOf = (pending: PendingInteraction): string => digest(written(pending, 'scopes', 'claims', 'upstreams'));

/** A scope that the person left out now is asked for again, whatever they approved before. */
const withoutScopes = (approvals: readonly Approval[], leftOut: readonly string[] = []): readonly Approval[] =>
  leftOut.length === 0
    ? approvals
    : approvals.map(({ scopes, ...rest }) => ({ ...rest, scopes: scopes.filter((name) => !leftOut.includes(name)) }));

/** The approvals with one more: scopes and claims that were approved for exactly the same facts are merged. */
export function remember(approvals: readonly Approval[], pending: PendingInteraction): readonly Approval[] {
  const facts = factsOf(pending);
  const kept = withoutScopes(approvals, pending.leftOut);
  const before = kept.find((approval) => approval.facts === facts);
  const scopes = merged(before?.scopes, FACTS.scopes(pending));
  const claims = merged(before?.tells?.claims, FACTS.claims(pending));
  const tells = claims.length > 0 ? { resource: FACTS.resource(pending), claims } : undefined;
  const approval = { facts, scopes, ...(tells && { tells }) };
  return [...kept.filter((other) => other.facts !== facts), approval].slice(-MOST);
}

const merged = (one: readonly string[] = [], other: readonly string[]): readonly string[] =>
  [...new Set([...one, ...other])].sort();

/** Whether a page with exactly these facts, and these scopes and claims or more, was approved before. */
export function isRemembered(approvals: readonly Approval[], pending: PendingInteraction): boolean {
  const facts = factsOf(pending);
  const approved = approvals.find((approval) => approval.facts === facts);
  if (!approved) return false;
  const { scopes, tells } = approved;
  return (
    FACTS.scopes(pending).every((name) => scopes.includes(name)) &&
    FACTS.claims(pending).every((name) => tells?.claims.includes(name))
  );
}

/** What this resource may learn about the person, by all approvals of a grant. */
export const approvedClaims = (approvals: readonly Approval[], resource: string): ReadonlySet<string> =>
  new Set(approvals.flatMap(({ tells }) => (tells?.resource === resource ? tells.claims : [])));
