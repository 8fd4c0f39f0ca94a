/**
 * Owns the sign-in page before an upstream: which client asks, where the answer goes, what the client may do, and the buttons to
 * approve or deny (RFC 6749 §10.2, RFC 8252 §8.6). Everything that comes from a client is escaped text.
 */
import type { PersonClaim } from '@mcp-oauth/shared/contract';
import { type Html, html, trusted } from '@mcp-oauth/shared/pages/html';
import { page } from '@mcp-oauth/shared/pages/page';
import type { PendingInteraction } from '../consent/interaction.ts';
import type { Account } from '../federation/account.ts';
import { type Destination, destinationOf } from './destination.ts';

export interface SignInView {
  readonly pending: PendingInteraction;
  /** Path of this page; its forms post to paths below it. */
  readonly path: string;
  /** The account of a live session. */
  readonly account: Account | undefined;
  readonly connectors: readonly { readonly id: string; readonly title: string }[];
  /** Proves that the form comes from this page and matches what it shows. */
  readonly token: string;
  /** Whether the person asked for another account than the one that the upstream signs in by itself. */
  readonly selectsAccount?: boolean;
}

export function signInPage(view: SignInView): string {
  const { client, resource, redirectUri, scopes, claims = [] } = view.pending;
  const name = clientName(client) ?? 'an app without a name';
  const destination = destinationOf(redirectUri, client.host);
  return page({
    title: `Allow ${name}?`,
    body: html`<div class="card">
<h1>Allow <bdi>${name}</bdi> to use <bdi>${resource.name}</bdi>?</h1>
<p class="soft small">${origin(client)}</p>
${
  scopes.length > 0 &&
  html`<h2>It will be able to</h2>
<ul class="ticks">${scopes.map(scopeItem)}</ul>`
}
${
  claims.length > 0 &&
  html`<h2>It and the server will learn</h2>
<ul class="ticks">${claims.map((name) => html`<li>${CLAIM_WORDS[name]}</li>`)}</ul>`
}
<dl>
${client.host && html`<dt>${destination.warning ? 'Says it is from' : 'Published by'}</dt><dd><strong>${client.host}</strong></dd>`}
<dt>On the server</dt><dd>${resource.identifier}</dd>
<dt>Access goes to</dt><dd>${destination.place}${destination.about && html` <span class="soft">· ${destination.about}</span>`}</dd>
</dl>
${copyNote(client)}
${notice(destination)}
<form class="late" method="post" action="${view.path}/approve">
<input type="hidden" name="token" value="${view.token}">
${view.selectsAccount && html`<input type="hidden" name="account" value="other">`}
${view.account ? sessionChoice(view.account, view) : upstreamButtons(view.connectors)}
</form>
<form method="post" action="${view.path}/deny">
<input type="hidden" name="token" value="${view.token}">
<button class="quiet">Deny</button>
</form>
</div>
<footer>Not expecting this? Choose Deny.</footer>`,
  });
}

type Client = PendingInteraction['client'];

const LONGEST_NAME = 80;

/** An id that the operator chose serves as a name; a generated id means nothing to a person. */
function clientName({ id, name, byOperator }: Client): string | undefined {
  const said = (name ?? '').replace(/\s+/g, ' ').trim() || (byOperator ? id : '');
  const characters = [...said];
  if (characters.length > LONGEST_NAME) return `${characters.slice(0, LONGEST_NAME).join('').trimEnd()}…`;
  return said || undefined;
}

/** Says that the details come from the operator's copy, if they do. */
const copyNote = ({ host, copiedAt }: PendingInteraction['client']): Html | undefined =>
  copiedAt === undefined
    ? undefined
    : html`<p class="soft small">This server can’t read the app’s document at ${host} at the moment. The details on this page are from a copy that the operator of this server fetched on ${new Date(copiedAt * 1000).toISOString().slice(0, 10)}.</p>`;

/** The origin of the name. */
function origin(client: Client): Html {
  if (client.byOperator) return html`<span class="tag">known</span> The operator of this server added this app.`;
  const says = clientName(client) ? 'The app chose this name itself.' : 'The app did not give a name.';
  return html`<span class="tag">unverified</span> ${says}`;
}

/** A scope without a description is shown by its name. */
const scopeItem = ({ name, description }: PendingInteraction['scopes'][number]): Html =>
  description && description !== name
    ? html`<li>${description}</li>`
    : html`<li>Use the permission <code>${name}</code></li>`;

const CLAIM_WORDS: Readonly<Record<PersonClaim, string>> = {
  name: 'Your name',
  username: 'Your user name',
  email: 'Your e-mail address',
  groups: 'Your groups',
  roles: 'Your roles',
  org: 'Your organisation',
};

const notice = ({ warning }: Destination): Html | undefined =>
  warning === undefined ? undefined : html`<p class="notice">${warning}</p>`;

const upstreamButtons = (connectors: SignInView['connectors'], style = ''): readonly Html[] =>
  connectors.map(
    ({ id, title }) => html`<button class="${style}" name="connector" value="${id}">Continue with ${title}</button>`,
  );

function sessionChoice(account: Account, { connectors, pending }: SignInView): Html {
  const { email, username, name } = account.identity;
  const through = connectors.find(({ id }) => id === account.connector)?.title;
  return html`<p>As <strong><bdi>${email ?? username ?? name ?? 'the account you used last'}</bdi></strong>${through && html` <span class="soft">through ${through}</span>`}</p>
<button>Approve</button>
<details class="plain"${pending.choosesAccount && trusted(' open')}>
<summary>Not you? Use another account</summary>
${upstreamButtons(connectors, 'quiet')}
</details>`;
}
