/** Owns `clients list`: the clients that the operator configured, and those that people have approved, however they became known. */
import type { Command } from '@mcp-oauth/shared/cli/command';
import { timeOf } from '@mcp-oauth/shared/cli/list';
import type { Page, Party } from '../../revocation/grant-directory.ts';
import { paged, placeOf, showPage } from '../listing/pages.ts';
import type { OpenedStore, WithStore } from '../store.ts';
import { configuredClients, type KnownClient, knownClient } from './known-client.ts';

export const listCommand = (withStore: WithStore): Command => ({
  name: 'list',
  summary: 'Show the clients that were added here or are in CLIENTS, and those that people have approved.',
  details:
    'A client that registered itself, or whose id is a URL, is listed from its first approval on: before it can do nothing. LAST USED is the last time at which it got tokens for a person, at most five minutes old.',
  options: paged,
  run: (invocation) =>
    withStore(invocation.env, async (opened) => {
      const place = placeOf(invocation);
      const approved = await opened.directory.clients(place);
      showPage(invocation, await pageOf(opened, approved, place === undefined), NONE);
      return 0;
    }),
});

const NONE = 'There are no clients. `clients add` adds one.';

async function pageOf(opened: OpenedStore, { items, next }: Page<Party>, isFirst: boolean) {
  const configured = await configuredClients(opened);
  const own = new Set(configured.map(({ id }) => id));
  const others = await Promise.all(
    items
      .filter(({ id }) => !own.has(id))
      .map(async (party) => rowOf(await knownClient(party.id, opened), party.grants, party.lastUsedAt)),
  );
  const first = isFirst ? await Promise.all(configured.map((client) => usedRowOf(client, opened))) : [];
  return { items: [...first, ...others], next };
}

/** Of a client that the operator configured, which may never have been used. */
async function usedRowOf(client: KnownClient, { directory }: OpenedStore) {
  const { items, next } = await directory.byClient(client.id);
  const count = next === undefined ? items.length : `${items.length} or more`;
  return rowOf(client, count, items.length > 0 ? Math.max(...items.map(({ lastUsedAt }) => lastUsedAt)) : undefined);
}

const rowOf = ({ id, ...client }: KnownClient, approvals: number | string, lastUsedAt: number | undefined) => ({
  clientId: id,
  ...client,
  approvals,
  lastUsed: lastUsedAt === undefined ? null : timeOf(lastUsedAt),
});
