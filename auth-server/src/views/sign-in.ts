/**
 * Owns the one page before an upstream: who asks, where the answer goes, what it may do, and the way to say yes or no
 * (RFC 6749 §10.2, RFC 8252 §8.6). Everything a client says of itself is text.
 */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import { page } from '@mcp-oauth/shared/pages/page';
import type { PendingInteraction } from '../consent/interaction.ts';
import type { Account } from '../federation/account.ts';
import { type Destination, destinationOf } from './destination.ts';

export interface SignInView {
  readonly pending: PendingInteraction;
  /** Where this page is; its forms go below. */
  readonly path: string;
  /** The account of a live session. */
  readonly account: Account | undefined;
  readonly connectors: readonly { readonly id: string; readonly title: string }[];
  /** Proves that the form is ours and about what stands here. */
  readonly token: string;
}

export function signInPage(view: SignInView): string {
  const { client, resource, redirectUri, scopes } = view.pending;
  const name = clientName(client);
  const destination = destinationOf(redirectUri, client.host);
  return page({
    title: `Allow ${name}?`,
    body: html`<div class="card">
<h1>Allow <bdi>${name}</bdi> to use <bdi>${resource.name}</bdi>?</h1>
<p class="soft small"><span class="tag">unverified</span> The app chose this name itself.</p>
${
  scopes.length > 0 &&
  html`<h2>It will be able to</h2>
<ul class="ticks">${scopes.map(({ description }) => html`<li>${description}</li>`)}</ul>`
}
<dl>
${client.host && html`<dt>${destination.warning ? 'Says it is from' : 'Published by'}</dt><dd><strong>${client.host}</strong></dd>`}
<dt>On the server</dt><dd>${resource.identifier}</dd>
<dt>Access goes to</dt><dd>${destination.place}${destination.about && html` <span class="soft">· ${destination.about}</span>`}</dd>
</dl>
${copyNote(client)}
${notice(destination)}
<form method="post" action="${view.path}/approve">
<input type="hidden" name="token" value="${view.token}">
${view.account ? sessionChoice(view.account, view.connectors) : upstreamButtons(view.connectors)}
</form>
<form method="post" action="${view.path}/deny">
<input type="hidden" name="token" value="${view.token}">
<button class="quiet">Deny</button>
</form>
</div>
<footer>Not expecting this? Choose Deny.</footer>`,
  });
}

const LONGEST_NAME = 80;

function clientName({ id, name }: PendingInteraction['client']): string {
  const said = (name ?? '').replace(/\s+/g, ' ').trim() || `the app ${id}`;
  return said.length > LONGEST_NAME ? `${said.slice(0, LONGEST_NAME).trimEnd()}…` : said;
}

/** Whose word it is that stands on the page, where it is not the host's own of today. */
const copyNote = ({ host, copiedAt }: PendingInteraction['client']): Html | undefined =>
  copiedAt === undefined
    ? undefined
    : html`<p class="soft small">This server can’t ask ${host} about this app at the moment. What stands here is from a copy that the operator of this server fetched on ${new Date(copiedAt * 1000).toISOString().slice(0, 10)}.</p>`;

const notice = ({ warning }: Destination): Html | undefined =>
  warning === undefined ? undefined : html`<p class="notice">${warning}</p>`;

const upstreamButtons = (connectors: SignInView['connectors'], style = ''): readonly Html[] =>
  connectors.map(
    ({ id, title }) => html`<button class="${style}" name="connector" value="${id}">Continue with ${title}</button>`,
  );

function sessionChoice(account: Account, connectors: SignInView['connectors']): Html {
  const { email, username, name } = account.identity;
  const through = connectors.find(({ id }) => id === account.connector)?.title;
  return html`<p>As <strong><bdi>${email ?? username ?? name ?? 'the account you used last'}</bdi></strong>${through && html` <span class="soft">through ${through}</span>`}</p>
<button>Approve</button>
<details class="plain">
<summary>Not you? Use another account</summary>
${upstreamButtons(connectors, 'quiet')}
</details>`;
}
