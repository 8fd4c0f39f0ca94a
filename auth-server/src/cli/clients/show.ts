/** Owns `clients show`: one client, by how many people it was approved, and when it was last used. */
import type { Command } from '@mcp-oauth/shared/cli/command';
import { json, timeOf } from '@mcp-oauth/shared/cli/list';
import { StartError } from '@mcp-oauth/shared/errors';
import { composeAccounts } from '../../compose/accounts.ts';
import type { GrantDirectory } from '../../revocation/grant-directory.ts';
import { showFacts } from '../listing/facts.ts';
import { namesOfPerson } from '../listing/grant-rows.ts';
import type { WithStore } from '../store.ts';
import { knownClient } from './known-client.ts';

/** Pages that are counted: of a hundred approvals each. */
const MOST_PAGES = 100;

export const showCommand = (withStore: WithStore): Command => ({
  name: 'show',
  summary: 'Show a client, by how many people it was approved, and when it was last used.',
  details: 'The newest hundred approvals are shown. Approvals are counted up to ten thousand.',
  parameters: ['client_id'],
  options: { json },
  run: (invocation) =>
    withStore(invocation.env, async (opened) => {
      const { client_id: id = '' } = invocation.parameters;
      const { added, ...client } = await knownClient(id, opened);
      const { newest, people, approvals, lastUsedAt } = await usageOf(id, opened.directory);
      if (added === 'unknown' && approvals === 0) throw new StartError(`there is no client ${JSON.stringify(id)}`);
      const accounts = composeAccounts(opened.config, opened);
      const rows = newest.map(async ({ id: grant, accountId, scopes, createdAt, lastUsedAt: used }) => {
        const { name, email } = await namesOfPerson(accountId, accounts);
        const times = { since: timeOf(createdAt), lastUsed: timeOf(used) };
        return { id: grant, subject: accountId, name, email, scopes: scopes.join(' '), ...times };
      });
      const lastUsed = lastUsedAt === undefined ? null : timeOf(lastUsedAt);
      showFacts(invocation, {
        facts: { ...client, added, people, approvals, lastUsed },
        lists: [{ list: 'approvedBy', rows: await Promise.all(rows), none: 'Nobody has approved this client.' }],
      });
      return 0;
    }),
});

async function usageOf(clientId: string, directory: GrantDirectory) {
  const people = new Set<string>();
  const first = await directory.byClient(clientId);
  let [approvals, lastUsedAt] = [0, 0];
  let page = first;
  for (let pages = 1; ; pages += 1) {
    approvals += page.items.length;
    for (const entry of page.items) {
      people.add(entry.accountId);
      lastUsedAt = Math.max(lastUsedAt, entry.lastUsedAt);
    }
    if (page.next === undefined || pages === MOST_PAGES) break;
    page = await directory.byClient(clientId, page.next);
  }
  return { newest: first.items, people: people.size, approvals, lastUsedAt: lastUsedAt || undefined };
}
