/** Owns the tables of the pages of the operator: people, clients, grants, keys and refusals, each with the link that ends a row. */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import { type EndedByLink, pathToEnd } from '../../administration/ending-path.ts';
import type { ClientOrigin, ClientRow, GrantRow, KeyRow, PersonRow } from '../../administration/overview.ts';
import type { RecentRefusal } from '../../administration/refusals.ts';
import { label } from '../../federation/subject.ts';
import { foreign, moment } from './frame.ts';

interface Columns<Row> {
  /** For the region and for its readers. */
  readonly caption: string;
  readonly none: string;
  readonly columns: readonly (readonly [title: string, cell: (row: Row) => Html | string])[];
  /** The last cell. */
  readonly act?: (row: Row) => Html;
}

function table<Row>(rows: readonly Row[], { caption, none, columns, act }: Columns<Row>): Html {
  if (rows.length === 0) return html`<p class="soft">${none}</p>`;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}">
<table>
<thead><tr>${columns.map(([title]) => html`<th scope="col">${title}</th>`)}${act && html`<td></td>`}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr>${columns.map(([, cell]) => html`<td>${cell(row)}</td>`)}${act && html`<td class="act">${act(row)}</td>`}</tr>
`,
  )}</tbody>
</table>
</div>`;
}

/** @param whom what a reader of the link alone has to know */
const endLink = (base: string, kind: EndedByLink, id: string, whom: string): Html =>
  html`<a href="${base}${pathToEnd(kind, id)}" aria-label="End ${kind} ${label(whom) ?? id}">End</a>`;

const cell = (...lines: readonly (Html | string | undefined)[]): Html => html`<span class="cell">${lines}</span>`;

const nameOfPerson = ({ name, address, accountId }: PersonRow): string => address ?? name ?? accountId;

const nameOfClient = ({ name, clientId }: ClientRow): string => name ?? clientId;

const grantsOf = (base: string, what: 'person' | 'client', id: string, text: Html): Html =>
  html`<a href="${base}/grants?${what}=${encodeURIComponent(id)}">${text}</a>`;

const personCell = (base: string, person: PersonRow): Html =>
  cell(
    grantsOf(base, 'person', person.accountId, foreign(nameOfPerson(person))),
    person.address !== undefined && person.name !== undefined ? html`<br>${foreign(person.name)}` : undefined,
  );

const clientCell = (base: string, client: ClientRow): Html =>
  cell(grantsOf(base, 'client', client.clientId, foreign(nameOfClient(client))));

export const people = (base: string, rows: readonly PersonRow[]): Html =>
  table(rows, {
    caption: 'People',
    none: 'Nobody has an approval.',
    columns: [
      ['Person', (row) => personCell(base, row)],
      ['Signed in with', ({ connector }) => foreign(connector)],
      ['Last sign-in', ({ signedInAt }) => moment(signedInAt)],
      ['Grants', ({ grants }) => String(grants ?? '–')],
      ['Subject', ({ accountId }) => cell(html`<code>${accountId}</code>`)],
    ],
    act: (row) => endLink(base, 'person', row.accountId, nameOfPerson(row)),
  });

const ORIGINS = {
  operator: 'added by the operator',
  registered: 'registered itself',
  published: 'publishes its metadata',
  removed: 'no longer stored',
} as const satisfies Readonly<Record<ClientOrigin, string>>;

export const clients = (base: string, rows: readonly ClientRow[]): Html =>
  table(rows, {
    caption: 'Clients',
    none: 'No client has an approval.',
    columns: [
      ['Client', (row) => clientCell(base, row)],
      ['Where from', ({ origin }) => ORIGINS[origin]],
      ['Last used', ({ lastUsedAt }) => moment(lastUsedAt)],
      ['People', ({ people }) => (people ? `${people.count}${people.orMore ? ' or more' : ''}` : '–')],
      ['Client id', ({ clientId }) => cell(html`<code>${clientId}</code>`)],
    ],
    act: (row) => endLink(base, 'client', row.clientId, nameOfClient(row)),
  });

export const grants = (base: string, rows: readonly GrantRow[]): Html =>
  table(rows, {
    caption: 'Grants (approvals)',
    none: 'There is no grant.',
    columns: [
      ['Person', ({ person }) => personCell(base, person)],
      ['Client', ({ client }) => clientCell(base, client)],
      ['Scopes', ({ scopes }) => cell(html`<bdi>${scopes.join(' ') || '–'}</bdi>`)],
      ['Organisation', ({ organisation }) => cell(foreign(organisation))],
      ['Approved', ({ createdAt }) => moment(createdAt)],
      ['Last used', ({ lastUsedAt }) => moment(lastUsedAt)],
    ],
    act: (row) => endLink(base, 'grant', row.id, `of ${nameOfPerson(row.person)} for ${nameOfClient(row.client)}`),
  });

export const keys = (base: string, rows: readonly KeyRow[]): Html =>
  table(rows, {
    caption: 'Keys',
    none: 'There are no keys yet.',
    columns: [
      ['Key', ({ kid }) => cell(html`<code>${kid}</code>`)],
      ['Algorithm', ({ algorithm }) => algorithm],
      ['Signs', ({ signs }) => signs],
      ['State', ({ state }) => state],
      ['Signs from', ({ signsFrom }) => moment(signsFrom)],
      ['Published until', ({ publishedUntil }) => moment(publishedUntil)],
    ],
    act: ({ kid }) => endLink(base, 'key', kid, kid),
  });

export const refusals = (rows: readonly RecentRefusal[]): Html => html`${refusalTable(rows)}
${rows.length > 0 && html`<p class="soft small">The events are those of the audit, with its names (docs/audit.md).</p>`}`;

const refusalTable = (rows: readonly RecentRefusal[]): Html =>
  table(rows, {
    caption: 'Refusals of the last hour',
    none: 'Nobody was refused in the last hour.',
    columns: [
      ['When', ({ at }) => moment(at)],
      ['Event', ({ event }) => event],
      ['Rule or reason', ({ reason }) => cell(foreign(reason))],
      ['Client', ({ client }) => cell(foreign(client))],
      ['Reference', ({ reference }) => (reference === undefined ? '–' : cell(html`<code>${reference}</code>`))],
    ],
  });
