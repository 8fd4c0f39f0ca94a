/**
 * Owns what an operator is told before something ends: exactly what ends, and what follows. An operator approves a digest of these
 * facts, so that nothing ends that the page did not show. A fact that changes all the time is shown and not part of the digest.
 */
import { createHash } from 'node:crypto';
import type { Target } from '../revocation/endings.ts';
import type { Administration, ClientRow, Listed, PersonRow } from './overview.ts';

export interface Fact {
  readonly title: string;
  readonly value: string | readonly string[];
  /** A time, in seconds since the epoch. */
  readonly at?: number;
  /** Whether the value may change before the operator approves. */
  readonly isVolatile?: boolean;
}

export interface AnnouncedEnding {
  readonly target: Target;
  /** What ends, as the end of a sentence: "End this grant". */
  readonly what: string;
  readonly facts: readonly Fact[];
  readonly consequences: readonly string[];
}

/** Whatever ends. */
const ENDS_SOON =
  'MCP servers refuse the access tokens within seconds, and close their streams and sessions. Refresh tokens are refused at once.';
const PERSONAL_KEY =
  'People and the operator have to make new tokens. Another key for all other tokens signs soon, too, so that MCP servers read the keys again.';
const AGAIN = 'The same person may approve again: to prevent that, change the rules (PEOPLE_DENY).';

/** @returns `undefined` if there is nothing to end */
export async function announced(target: Target, administration: Administration): Promise<AnnouncedEnding | undefined> {
  switch (target.kind) {
    case 'grant':
      return grantEnding(target.id, administration);
    case 'client':
      return clientEnding(target.id, administration);
    case 'person':
      return personEnding(target.accountId, administration);
    case 'key':
      return keyEnding(target.kid, administration);
    case 'everything':
      return everythingEnding(target.before);
  }
}

/** Of what the operator saw. */
export const digestOf = ({ target, facts, consequences }: AnnouncedEnding): string =>
  createHash('sha256')
    .update(JSON.stringify([target, facts.filter(({ isVolatile }) => !isVolatile), consequences]))
    .digest('base64url');

async function grantEnding(id: string, administration: Administration): Promise<AnnouncedEnding | undefined> {
  const grant = await administration.grant(id);
  if (!grant) return undefined;
  return {
    target: { kind: 'grant', id },
    what: 'this grant',
    facts: [
      ...factsOfPerson(grant.person),
      ...factsOfClient(grant.client),
      { title: 'Scopes', value: grant.scopes },
      { title: 'MCP server', value: grant.resources },
      ...(grant.organisation === undefined ? [] : [{ title: 'Organisation', value: grant.organisation }]),
      { title: 'Approved', value: '', at: grant.createdAt },
    ],
    consequences: [ENDS_SOON, AGAIN],
  };
}

async function clientEnding(id: string, administration: Administration): Promise<AnnouncedEnding | undefined> {
  const client = await administration.client(id);
  if (!client) return undefined;
  const { rows, next } = await administration.grants({ client: id });
  return {
    target: { kind: 'client', id },
    what: 'every grant of this client',
    facts: [
      ...factsOfClient(client),
      { title: 'Grants at the moment', value: countOf({ rows, next }), isVolatile: true },
    ],
    consequences: [
      'Every grant of every person for this client ends, also one that is approved before you confirm, and so do tokens that the client got for itself.',
      'The client stays registered: the command clients remove removes it.',
      ENDS_SOON,
      AGAIN,
    ],
  };
}

async function personEnding(accountId: string, administration: Administration): Promise<AnnouncedEnding | undefined> {
  const person = await administration.person(accountId);
  if (!person) return undefined;
  const { rows, next } = await administration.grants({ person: accountId });
  return {
    target: { kind: 'person', accountId },
    what: 'all access of this person',
    facts: [
      ...factsOfPerson(person),
      { title: 'Grants', value: countOf({ rows, next }) },
      { title: 'Grants for', value: [...new Set(rows.map(({ client }) => client.name ?? client.clientId))] },
    ],
    consequences: [
      'Every grant and every personal token of this person ends, tools lose the accounts that the person connected, and the person is signed out of this server in every browser.',
      ENDS_SOON,
      AGAIN,
    ],
  };
}

async function keyEnding(kid: string, administration: Administration): Promise<AnnouncedEnding | undefined> {
  const key = (await administration.keys()).find((one) => one.kid === kid);
  if (!key) return undefined;
  return {
    target: { kind: 'key', kid },
    what: 'this key',
    facts: [
      { title: 'Key', value: kid },
      { title: 'Algorithm', value: key.algorithm },
      { title: 'Signs', value: key.signs },
      { title: 'State', value: key.state },
    ],
    consequences: [
      'The key is no longer published. MCP servers refuse every token that it signed within seconds.',
      key.signs === 'personal tokens' ? PERSONAL_KEY : 'Clients refresh and go on.',
      ...(key.state === 'active' ? ['The next key signs at once.'] : []),
      'MCP servers of other makers refuse its tokens when they read the keys again.',
    ],
  };
}

const everythingEnding = (before: number): AnnouncedEnding => ({
  target: { kind: 'everything', before },
  what: 'everything before this moment',
  facts: [{ title: 'Everything approved or issued before', value: '', at: before }],
  consequences: [
    'Every grant that was first approved before ends, for every person and client, and so does every browser session: you sign in again, too.',
    'Tokens that clients got for themselves end as well. The clients get new ones.',
    'Personal tokens that were made before end, and so do the long-lived tokens of services. New ones have to be made.',
    ENDS_SOON,
  ],
});

const countOf = ({ rows, next }: Listed<unknown>): string =>
  next === undefined ? String(rows.length) : `more than ${rows.length}`;

const factsOfPerson = ({ name, address, connector, accountId }: PersonRow): readonly Fact[] => [
  { title: 'Person', value: [address, name].filter((text) => text !== undefined) },
  ...(connector === undefined ? [] : [{ title: 'Signed in with', value: connector }]),
  { title: 'Subject', value: accountId },
];

const factsOfClient = ({ name, clientId }: ClientRow): readonly Fact[] => [
  ...(name === undefined ? [] : [{ title: 'Client', value: name }]),
  { title: 'Client id', value: clientId },
];
