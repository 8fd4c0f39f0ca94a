/** Owns an administration for tests: one person, one client, one grant and one key, of which each may be changed. */
import type { Administration, ClientRow, GrantRow, KeyRow, PersonRow } from '../../src/administration/overview.ts';
import type { RecentRefusal } from '../../src/administration/refusals.ts';

export interface Rows {
  person: PersonRow;
  client: ClientRow;
  grant: GrantRow;
  key: KeyRow;
  refusals: readonly RecentRefusal[];
}

const person: PersonRow = { accountId: 'subject-1', name: 'Alice', address: 'alice@example.com', connector: 'acme' };
const client: ClientRow = { clientId: 'https://app.example/client.json', name: 'Notes', origin: 'published' };

export const someRows = (): Rows => ({
  person,
  client,
  grant: {
    id: 'grant-1',
    person,
    client,
    scopes: ['mcp:tools'],
    resources: ['https://mcp.example/mcp'],
    createdAt: 1_767_225_600,
    lastUsedAt: 1_767_229_200,
  },
  key: { kid: 'key-1', algorithm: 'ES256', signs: 'all other tokens', state: 'active', signsFrom: 1_767_225_600 },
  refusals: [],
});

/** @param rows read at each question, so that a test may change them */
export const fakeAdministration = (rows: Rows): Administration => ({
  versions: { server: '1.2.3', engine: '9.9.9', node: 'v24.0.0' },
  newest: async () => ({
    people: { rows: [rows.person] },
    clients: { rows: [rows.client] },
    grants: { rows: [rows.grant] },
  }),
  counted: async (clients) => clients,
  people: async () => ({ rows: [rows.person] }),
  clients: async () => ({ rows: [rows.client] }),
  grants: async () => ({ rows: [rows.grant] }),
  person: async (id) => (id === rows.person.accountId ? rows.person : undefined),
  client: async (id) => (id === rows.client.clientId ? rows.client : undefined),
  grant: async (id) => (id === rows.grant.id ? rows.grant : undefined),
  keys: async () => [rows.key],
  refusals: async () => rows.refusals,
  statusList: async () => ({ id: 'list-1', version: 7, size: 1_048_576 }),
});
