/**
 * Owns the one page before an upstream: who asks, where the answer goes, what it may do, and the way to say yes or no
 * (RFC 6749 §10.2, RFC 8252 §8.6). Everything a client says of itself is text.
 */
import { type Html, html, trusted } from '@mcp-oauth/shared/pages/html';
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
<dl>
${client.host && html`<dt>${destination.warning ? 'Says it is from' : 'Published by'}</dt><dd><strong>${client.host}</strong></dd>`}
<dt>On the server</dt><dd>${resource.identifier}</dd>
<dt>Access goes to</dt><dd>${destination.place}${destination.about && html` <span class="soft">· ${destination.about}</span>`}</dd>
</dl>
${copyNote(client)}
${notice(destination)}
<form class="late" method="post" action="${view.path}/approve">
<input type="hidden" name="token" value="${view.token}">
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

/** An id that the operator chose is a name; one that a registration made says nothing to anybody. */
function clientName({ id, name, byOperator }: Client): string | undefined {
  const said = (name ?? '').replace(/\s+/g, ' ').trim() || (byOperator ? id : '');
  const characters = [...said];
  if (characters.length > LONGEST_NAME) return `${characters.slice(0, LONGEST_NAME).join('').trimEnd()}…`;
  return said || undefined;
}

/** Whose word it is that stands on the page, where it is not the host's own of today. */
const copyNote = ({ host, copiedAt }: PendingInteraction['client']): Html | undefined =>
  copiedAt === undefined
    ? undefined
    : html`<p class="soft small">This server can’t ask ${host} about this app at the moment. What stands here is from a copy that the operator of this server fetched on ${new Date(copiedAt * 1000).toISOString().slice(0, 10)}.</p>`;

/** Whose word the name is. */
function origin(client: Client): Html {
  if (client.byOperator) return html`<span class="tag">known</span> The operator of this server wrote this app down.`;
  const says = clientName(client) ? 'The app chose this name itself.' : 'The app does not say what it is called.';
  return html`<span class="tag">unverified</span> ${says}`;
}

/** A scope that nobody described is shown as what it is: a name. */
const scopeItem = ({ name, description }: PendingInteraction['scopes'][number]): Html =>
  description && description !== name
    ? html`<li>${description}</li>`
    : html`<li>Use what the server calls <code>${name}</code></li>`;

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
