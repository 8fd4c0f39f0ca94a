/** Owns the pages with one whole list: people, clients, grants or refusals, page by page, and what a search found. */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import type { ClientRow, GrantRow, Listed, PersonRow, Whose } from '../../administration/overview.ts';
import type { RecentRefusal } from '../../administration/refusals.ts';
import { type AdminLook, adminPage, foreign, type Part } from './frame.ts';
import { clients, grants, people, refusals } from './tables.ts';

/** One list. */
export type Rows =
  | { readonly list: 'people'; readonly listed: Listed<PersonRow> }
  | { readonly list: 'clients'; readonly listed: Listed<ClientRow> }
  | {
      readonly list: 'grants';
      readonly listed: Listed<GrantRow>;
      readonly whose: Whose;
      readonly named?: string | undefined;
    }
  | { readonly list: 'refusals'; readonly listed: Listed<RecentRefusal> };

export interface ListView extends AdminLook {
  readonly rows: Rows;
}

const TITLES = {
  people: ['People', '/people'],
  clients: ['Clients', '/clients'],
  grants: ['Grants (approvals)', '/grants'],
  refusals: ['Refusals of the last hour', undefined],
} as const satisfies Readonly<Record<Rows['list'], readonly [string, Part | undefined]>>;

export function listPage(view: ListView): string {
  const { base, rows } = view;
  const [title, part] = TITLES[rows.list];
  return adminPage(view, {
    title,
    part,
    body: html`<h1>${title}${rows.list === 'grants' && rows.named !== undefined && html` of ${foreign(rows.named)}`}</h1>
<section class="card">
${rows.list !== 'refusals' && searchForm(base)}
${tableOf(base, rows)}
${rows.listed.next !== undefined && html`<p><a rel="next" href="${pathOf(base, rows, rows.listed.next)}">Next page</a></p>`}
</section>`,
  });
}

function tableOf(base: string, rows: Rows): Html {
  switch (rows.list) {
    case 'people':
      return people(base, rows.listed.rows);
    case 'clients':
      return clients(base, rows.listed.rows);
    case 'grants':
      return grants(base, rows.listed.rows);
    case 'refusals':
      return refusals(rows.listed.rows);
  }
}

function pathOf(base: string, rows: Rows, after: string): string {
  const { person, client } = rows.list === 'grants' ? rows.whose : {};
  const query = new URLSearchParams({ ...(person && { person }), ...(client && { client }), after });
  return `${base}/${rows.list}?${query}`;
}

export interface SearchView extends AdminLook {
  readonly text: string;
  readonly people: readonly PersonRow[];
  readonly clients: readonly ClientRow[];
  /** Whether only the first ones were searched. */
  readonly isPartial: boolean;
}

export function searchPage(view: SearchView): string {
  const { base, text } = view;
  return adminPage(view, {
    title: 'Search',
    body: html`<h1>Search</h1>
<section class="card">
${searchForm(base, text)}
${view.isPartial && html`<p class="notice">There are too many people or clients to search all of them: search for a whole subject or client id.</p>`}
<h2>People</h2>
${people(base, view.people)}
<h2>Clients</h2>
${clients(base, view.clients)}
</section>`,
  });
}

export const searchForm = (base: string, text = ''): Html =>
  html`<form class="search" method="get" action="${base}/search" role="search">
<label class="field"><span>Person or client</span><input type="text" name="for" value="${text}" maxlength="200" autocomplete="off" spellcheck="false"></label>
<button class="quiet">Search</button>
</form>`;
