/**
 * Ensures that the tokens for the ID-JAGs of one person, client and identity provider belong to one grant, which pages and commands list
 * and end. An ID-JAG that was issued before its grant ended gives no access any more; a later one begins a new grant.
 */
import { hash, randomBytes } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { AssertionRefused } from '../../assertions/refused.ts';
import { approvedClaims } from '../../consent/approval.ts';
import type { Resource } from '../../resources/resource.ts';
import { namesOf } from '../../resources/scope.ts';
import type { RecordStore } from '../../storage/record-store.ts';
import { approvalsOf, renewApproval, setApprovals } from '../overrides/approvals.ts';
import { digest, GrantRevoked } from '../records/grants.ts';

type Grant = NonNullable<KoaContextWithOIDC['oidc']['entities']['Grant']>;

interface EnterpriseParties {
  /** Id of the identity provider in the settings. */
  readonly issuer: string;
  readonly accountId: string;
  readonly clientId: string;
}

export interface EnterpriseGrants {
  /** The grant that goes on, if there is one. @throws AssertionRefused for an ID-JAG from before its end */
  find(ctx: KoaContextWithOIDC, parties: EnterpriseParties, issuedAt: number): Promise<Found>;
  /** Saves what the token may do. @returns the grant */
  keep(ctx: KoaContextWithOIDC, parties: EnterpriseParties, found: Found, given: Given): Promise<Grant>;
}

interface Found {
  readonly id: string;
  readonly grant: Grant | undefined;
}

interface Given {
  readonly resource: Resource;
  readonly scopes: readonly string[];
}

/** Names the current grant of the parties. */
const KIND = 'EnterpriseGrant';
/** The longest life of an access token (TOKEN_LIFETIME). A grant outlives its tokens, because an ending marks those of the grants it finds. */
const LONGEST_TOKEN = 86_400;
/** Seconds that a grant is listed after its last token, so that an operator sees who had access. */
const LISTED = 2 * LONGEST_TOKEN;
/** Seconds left from which on a grant is saved again. */
const RENEWED = LONGEST_TOKEN;
/** Longer than a grant, by more than an ID-JAG is valid: one from before the end of the grant must find it. */
const NAMED = LISTED + 3_600;

export function createEnterpriseGrants({ store, clock }: { store: RecordStore; clock: Clock }): EnterpriseGrants {
  const keyOf = ({ issuer, accountId, clientId }: EnterpriseParties): string =>
    hash('sha256', JSON.stringify([issuer, accountId, clientId]), 'base64url');

  /** @param before absent: there was none */
  async function begin(key: string, before?: string): Promise<string> {
    const after = { grantId: randomBytes(32).toString('base64url') };
    const written =
      before === undefined
        ? await store.putIfAbsent(KIND, key, after, { ttl: NAMED })
        : await store.replace(KIND, key, { before: { grantId: before }, after, ttl: NAMED });
    if (written) return after.grantId;
    // Another request has just begun one.
    return String((await store.get(KIND, key))?.value.grantId ?? after.grantId);
  }

  /** When a grant was ended, in seconds since the epoch; `undefined` if it was not. */
  async function endedAt(id: string): Promise<number | undefined> {
    const { revoked, endedAt: moment } = (await store.get('Grant', digest(id)))?.value ?? {};
    if (!revoked) return undefined;
    return typeof moment === 'number' ? moment : seconds(clock);
  }

  return {
    find: async ({ oidc: { provider } }, parties, issuedAt) => {
      const key = keyOf(parties);
      const known = (await store.get(KIND, key))?.value.grantId;
      if (typeof known !== 'string') return { id: await begin(key), grant: undefined };
      const grant = await provider.Grant.find(known);
      if (grant) return { id: known, grant };
      const ended = await endedAt(known);
      if (ended === undefined) return { id: known, grant: undefined };
      if (issuedAt <= ended) {
        throw new AssertionRefused('ended', 'the access was ended after it was issued', { claim: 'iat' });
      }
      return { id: await begin(key, known), grant: undefined };
    },
    keep: async ({ oidc: { provider } }, parties, { id, grant: known }, { resource, scopes }) => {
      const { accountId, clientId } = parties;
      const grant = known ?? new provider.Grant({ jti: id, accountId, clientId } as never);
      const [identifier] = resource.identifiers;
      const had = new Set(namesOf(grant.getResourceScope(identifier)));
      const told = approvedClaims(approvalsOf(grant), identifier);
      const isSaid = scopes.every((scope) => had.has(scope)) && resource.claims.every((claim) => told.has(claim));
      const now = seconds(clock);
      if (known && isSaid && Number(known.exp) - now > RENEWED) return grant;
      renewApproval(grant, 'enterprise', now);
      grant.exp = now + LISTED;
      for (const name of resource.identifiers) grant.addResourceScope(name, [...scopes]);
      // What the other resources may know of the person stays.
      const others = approvalsOf(grant).filter(({ tells }) => tells?.resource !== identifier);
      const tells = { resource: identifier, claims: [...resource.claims] };
      setApprovals(grant, [...others, { facts: '', scopes: [...scopes], tells }]);
      try {
        await grant.save();
      } catch (error) {
        if (!(error instanceof GrantRevoked)) throw error;
        throw new AssertionRefused('ended', 'the access has just been ended', { cause: error });
      }
      await store.touch(KIND, keyOf(parties), NAMED);
      return grant;
    },
  };
}
