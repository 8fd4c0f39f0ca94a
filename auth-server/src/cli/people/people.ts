/** Owns `people`: who has approved what, how to end it, and what the rules say about a person before the person tries it. */
import type { Command, CommandGroup } from '@mcp-oauth/shared/cli/command';
import { json, timeOf } from '@mcp-oauth/shared/cli/list';
import { composeAccounts } from '../../compose/accounts.ts';
import { approvals } from '../listing/approvals.ts';
import { showFacts } from '../listing/facts.ts';
import { namesOfPerson, rowOfGrant } from '../listing/grant-rows.ts';
import { paged, placeOf, showPage } from '../listing/pages.ts';
import { endingsOf, type WithStore } from '../store.ts';
import { checkCommand } from './check.ts';
import { findPerson } from './find-person.ts';

export const peopleCommands = (withStore: WithStore): CommandGroup => ({
  name: 'people',
  summary: 'People: what they have approved, and what the rules say about them.',
  commands: [list(withStore), show(withStore), end(withStore), checkCommand(withStore)],
});

const WHO = 'A person is named by the subject of their tokens, or by their address.';

const list = (withStore: WithStore): Command => ({
  name: 'list',
  summary: 'Show the people who have approved a client, newest approval first.',
  details:
    'LAST USED is the last time at which a client got tokens, at most five minutes old. A person without an approval is not listed.',
  options: paged,
  run: (invocation) =>
    withStore(invocation.env, async ({ config, store, directory }) => {
      const accounts = composeAccounts(config, { store });
      const { items, next } = await directory.people(placeOf(invocation));
      const rows = await Promise.all(
        items.map(async ({ id, grants, lastUsedAt }) => ({
          subject: id,
          ...(await namesOfPerson(id, accounts)),
          approvals: grants,
          lastUsed: timeOf(lastUsedAt),
        })),
      );
      showPage(invocation, { items: rows, next }, 'Nobody has approved a client.');
      return 0;
    }),
});

const show = (withStore: WithStore): Command => ({
  name: 'show',
  summary: 'Show a person and their approvals.',
  details: `${WHO} The newest hundred approvals are shown.`,
  parameters: ['person'],
  options: { json },
  run: (invocation) =>
    withStore(invocation.env, async (opened) => {
      const { config, store, directory } = opened;
      const accounts = composeAccounts(config, { store });
      const accountId = await findPerson(invocation.parameters.person ?? '', opened);
      const { items, next } = await directory.byPerson(accountId);
      showFacts(invocation, {
        facts: { subject: accountId, ...(await namesOfPerson(accountId, accounts)) },
        list: 'approvals',
        rows: items.map(rowOfGrant),
        none: 'This person has no approvals.',
      });
      if (next !== undefined)
        invocation.stderr.write('This person has more approvals: `grants list --person` shows them.\n');
      return 0;
    }),
});

const end = (withStore: WithStore): Command => ({
  name: 'end',
  summary: 'End all approvals and personal tokens of a person, and sign the person out of all browsers.',
  details: `${WHO} Refresh tokens are refused at once, access tokens as soon as MCP servers have read the status list. The person may approve again: to prevent that, change the rules first (PEOPLE_DENY).`,
  parameters: ['person'],
  run: (invocation) =>
    withStore(invocation.env, async (opened) => {
      const accountId = await findPerson(invocation.parameters.person ?? '', opened);
      const { grants } = await endingsOf(opened).end({ kind: 'person', accountId }, { origin: 'cli' });
      invocation.stdout.write(`Ended ${approvals(grants)} of ${accountId}, and every browser session.\n`);
      return 0;
    }),
});
