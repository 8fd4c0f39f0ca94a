/**
 * Ensures that every grant is in the directory before it can be used: an ending then finds it, or its moment refuses it. At the token
 * endpoint a use is noted together with the reading of the grant, at most every few minutes. Whatever the engine revokes is an ending.
 */

import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { BoundedMap } from '@mcp-oauth/shared/collections/bounded-map';
import Provider, { type Adapter, type AdapterPayload, type KoaContextWithOIDC } from 'oidc-provider';
import { stateOf } from '../../context-state.ts';
import { namesOf } from '../../resources/scope.ts';
import type { EndedBefore } from '../../revocation/ended-before.ts';
import type { By, Endings } from '../../revocation/endings.ts';
import type { GrantDirectory, GrantEntry } from '../../revocation/grant-directory.ts';
import { begunAt, organisationOf, viaOf } from '../overrides/approvals.ts';
import { digest } from './grants.ts';

/** Seconds between two notes about the use of one grant by this process. */
const NOTED_EVERY = 300;
/** Beyond it uses are noted more often. */
const NOTED_GRANTS = 10_000;

export interface ListingOptions {
  readonly directory: Pick<GrantDirectory, 'put' | 'touch' | 'remove'>;
  readonly endedBefore: Pick<EndedBefore, 'includes'>;
  readonly endings: Pick<Endings, 'end'>;
}

/** @param grants the adapter for the records */
export function listedGrants(
  grants: Adapter,
  clock: Clock,
  { directory, endedBefore, endings }: ListingOptions,
): Adapter {
  const noted = new BoundedMap<string, number>(NOTED_GRANTS);

  async function note(key: string): Promise<boolean> {
    const now = seconds(clock);
    const isUse = Provider.ctx?.oidc.route === 'token';
    if (isUse && now - (noted.get(key) ?? 0) < NOTED_EVERY) return true;
    const isListed = await directory.touch(key, isUse ? now : undefined);
    if (isUse && isListed) noted.set(key, now);
    return isListed;
  }

  /** @returns the grant, unless it has ended */
  async function removeIfEnded(id: string, key: string): Promise<AdapterPayload | undefined> {
    const found = await grants.find(id);
    if (found) return found;
    await directory.remove(key);
    return undefined;
  }

  return {
    ...grants,
    upsert: async (id, payload, expiresIn) => {
      const key = digest(id);
      await directory.put(entryOf(key, payload, seconds(clock)));
      try {
        await grants.upsert(id, payload, expiresIn);
      } catch (error) {
        // If the store is lost, the entry stays until the grant would have expired.
        await removeIfEnded(id, key).catch(() => {});
        throw error;
      }
    },
    find: async (id) => {
      const key = digest(id);
      const [found, isListed] = await Promise.all([grants.find(id), note(key)]);
      if (!found || isListed) return found;
      const entry = entryOf(key, found, seconds(clock));
      // In this order: an ending sets its moment and then looks for grants, so one of the two sees the other.
      await directory.put(entry);
      // It may have ended after it was read: that ending has taken it out already.
      if (!(await endedBefore.includes(entry))) return removeIfEnded(id, key);
      // The ending was told when the moment was set.
      await grants.destroy(id);
      await directory.remove(key);
      return undefined;
    },
    destroy: async (id) => {
      await endings.end({ kind: 'grant', id: digest(id) }, startedBy(Provider.ctx));
    },
  };
}

/** The engine ends a grant at a revocation by the client, a reuse, and a refusal. */
function startedBy(ctx: KoaContextWithOIDC | undefined): By {
  if (!ctx) return { origin: 'refusal' };
  const { requestId: reference, clientAddress: from, isRefused } = stateOf(ctx);
  if (ctx.oidc.route === 'revocation') return { origin: 'client', actor: ctx.oidc.client?.clientId, reference, from };
  return { origin: isRefused ? 'refusal' : 'refresh alarm', reference, from };
}

function entryOf(id: string, payload: AdapterPayload, now: number): GrantEntry {
  const resources = (payload.resources ?? {}) as Readonly<Record<string, string>>;
  const organisation = organisationOf(payload);
  return {
    id,
    accountId: String(payload.accountId),
    clientId: String(payload.clientId),
    resources: Object.keys(resources),
    scopes: [...new Set(Object.values(resources).flatMap(namesOf))],
    ...(organisation !== undefined && { organisation }),
    via: viaOf(payload),
    createdAt: begunAt(payload) ?? now,
    lastUsedAt: now,
    expiresAt: payload.exp ?? now,
  };
}
