/** Owns the first page of the operator: the state of the server, the refusals of the last hour, and the newest of each list. */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import type { KeyRow, Listed, Newest, StatusListState, Versions } from '../../administration/overview.ts';
import type { RecentRefusal } from '../../administration/refusals.ts';
import { type AdminLook, adminPage, moment } from './frame.ts';
import { searchForm } from './lists.ts';
import { clients, grants, keys, people, refusals } from './tables.ts';

export interface OverviewView extends AdminLook, Newest {
  /** In seconds since the epoch. */
  readonly now: number;
  readonly versions: Versions;
  readonly keys: readonly KeyRow[];
  readonly refusals: readonly RecentRefusal[];
  readonly statusList: StatusListState | undefined;
}

/** Refusals on this page. */
const REFUSALS = 10;

export function overviewPage(view: OverviewView): string {
  const { base } = view;
  return adminPage(view, {
    title: 'Operator',
    part: '',
    body: html`<h1>What is connected</h1>
<p class="soft small">As of ${moment(view.now)} UTC, as are all times here.</p>
<section class="card"><h2>State</h2>
${figures(view)}
</section>
<section class="card"><h2>Refusals of the last hour: ${view.refusals.length}</h2>
${refusals(view.refusals.slice(0, REFUSALS))}
${view.refusals.length > REFUSALS && html`<p><a href="${base}/refusals">All refusals of the last hour</a></p>`}
</section>
<section class="card"><h2>Newest grants (approvals)</h2>
${searchForm(base)}
${grants(base, view.grants.rows)}
${more(`${base}/grants`, 'All grants', view.grants)}
</section>
<section class="card"><h2>People</h2>
${people(base, view.people.rows)}
${more(`${base}/people`, 'All people', view.people)}
</section>
<section class="card"><h2>Clients</h2>
${clients(base, view.clients.rows)}
${more(`${base}/clients`, 'All clients', view.clients)}
</section>
<section class="card"><h2>Keys</h2>
${keys(base, view.keys)}
<p><a href="${base}/end/everything">End everything before now…</a></p>
</section>`,
  });
}

const more = (target: string, text: string, { next }: Listed<unknown>): Html | false =>
  next !== undefined && html`<p><a href="${target}">${text}</a></p>`;

function figures({ versions, statusList, keys: ring }: OverviewView): Html {
  const active = ring.find(({ state, signs }) => state === 'active' && signs === 'all other tokens');
  return html`<dl class="figures">
<div><dt>Status list</dt><dd>${statusList ? html`<code>${statusList.id}</code> <span>version ${statusList.version}, ${statusList.size} entries</span>` : 'none yet'}</dd></div>
<div><dt>Signing key</dt><dd>${active ? html`${active.algorithm} <span>since ${moment(active.signsFrom)}</span>` : 'none yet'}</dd></div>
<div><dt>auth-server</dt><dd>${versions.server}</dd></div>
<div><dt>oidc-provider</dt><dd>${versions.engine}</dd></div>
<div><dt>Node.js</dt><dd>${versions.node}</dd></div>
</dl>`;
}
