/**
 * Owns `people`: who has approved what and has which personal tokens, how to end both, and what the rules say about a person before the
 * person tries it.
 */
import type { Command, CommandGroup } from '@mcp-oauth/shared/cli/command';
import { json, timeOf } from '@mcp-oauth/shared/cli/list';
import { composeAccounts } from '../../compose/accounts.ts';
import { createTokenRecords } from '../../personal-tokens/token-records.ts';
import { approvals } from '../listing/approvals.ts';
import { showFacts } from '../listing/facts.ts';
import { namesOfPerson, rowOfGrant } from '../listing/grant-rows.ts';
import { paged, placeOf, showPage } from '../listing/pages.ts';
import { rowOfToken } from '../listing/token-rows.ts';
import { endingsOf, type WithStore } from '../store.ts';
import { checkCommand } from './check.ts';
import { findPerson } from './find-person.ts';
import { peoplePage } from './people-page.ts';

export const peopleCommands = (withStore: WithStore): CommandGroup => ({
  name: 'people',
  summary: 'People: what they have approved, their personal tokens, and what the rules say about them.',
  commands: [list(withStore), show(withStore), end(withStore), checkCommand(withStore)],
});

const WHO =
  'A person is named by the subject of their tokens, or by an address that the identity provider has verified.';

const list = (withStore: WithStore): Command => ({
  name: 'list',
  summary: 'Show the people who have approved a client, newest approval first, and those who have personal tokens.',
  details:
    'LAST USED is the last time at which a client got tokens, at most five minutes old. A person with neither an approval nor a personal token is not listed.',
  options: paged,
  run: (invocation) =>
    withStore(invocation.env, async (opened) => {
      const accounts = composeAccounts(opened.config, opened);
      const { items, next } = await peoplePage(placeOf(invocation), opened);
      const rows = await Promise.all(
        items.map(async ({ id, grants, tokens, lastUsedAt }) => ({
          subject: id,
          ...(await namesOfPerson(id, accounts)),
          approvals: grants,
          tokens,
          lastUsed: lastUsedAt === undefined ? null : timeOf(lastUsedAt),
        })),
      );
      showPage(invocation, { items: rows, next }, 'Nobody has an approval or a personal token.');
      return 0;
    }),
});

const show = (withStore: WithStore): Command => ({
  name: 'show',
  summary: 'Show a person, their approvals and their personal tokens.',
  details: `${WHO} The newest hundred approvals are shown.`,
  parameters: ['person'],
  options: { json },
  run: (invocation) =>
    withStore(invocation.env, async (opened) => {
      const { config, store, directory, clock } = opened;
      const accounts = composeAccounts(config, { store });
      const accountId = await findPerson(invocation.parameters.person ?? '', opened);
      const { items, next } = await directory.byPerson(accountId);
      const tokens = await createTokenRecords(store, clock).of(accountId);
      showFacts(invocation, {
        facts: { subject: accountId, ...(await namesOfPerson(accountId, accounts)) },
        lists: [
          { list: 'approvals', rows: items.map(rowOfGrant), none: 'This person has no approvals.' },
          { list: 'tokens', rows: tokens.map(rowOfToken), none: 'This person has no personal tokens.' },
        ],
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
      const ended = `${approvals(grants)} of ${accountId}, every personal token and every browser session`;
      invocation.stdout.write(`Ended ${ended}.\n`);
      return 0;
    }),
});
