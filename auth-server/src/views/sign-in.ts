/**
 * Owns the sign-in page before an upstream: which client asks, where the answer goes, what the client may do, and the buttons to
 * approve or deny (RFC 6749 §10.2, RFC 8252 §8.6). Everything that comes from a client is escaped text.
 */
import type { PersonClaim } from '@mcp-oauth/shared/contract';
import { type Html, html, trusted } from '@mcp-oauth/shared/pages/html';
import type { PendingInteraction } from '../consent/interaction.ts';
import type { Account } from '../federation/account.ts';
import { dayIn, fill, inMarkup, inWords, type Language, said } from '../languages/language.ts';
import type { UpstreamScope } from '../resources/upstream-scope.ts';
import { clientName, originOf } from './client/client-name.ts';
import { scopeWords } from './client/scope-words.ts';
import { upstreamItems } from './client/upstream-words.ts';
import { type Destination, destinationOf, deviceOf } from './destination.ts';
import { framed, type Look } from './frame.ts';

export interface SignInView extends Look {
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
  const { language } = view;
  const { texts } = language;
  const { client, resource, redirectUri, userCode, scopes, claims = [] } = view.pending;
  const name = clientName(client) ?? texts.namelessClient;
  const destination = userCode === undefined ? destinationOf(redirectUri, client.host) : deviceOf(userCode);
  return framed(view, {
    title: inWords(language, said('pageName', { client: name })),
    body: html`<div class="card">
<h1>${fill(language, 'heading', { client: bdi(name), resource: bdi(resource.name) })}</h1>
<p class="soft small">${originOf(client, language)}</p>
${
  scopes.length > 0 &&
  html`<h2>${texts.abilities}</h2>
<ul class="ticks">${fixedFirst(scopes).map((scope) => scopeItem(scope, language))}</ul>`
}
${
  claims.length > 0 &&
  html`<h2>${texts.learns}</h2>
<ul class="ticks">${claims.map((name) => html`<li>${texts[CLAIMS[name]]}</li>`)}</ul>`
}
<dl>
${client.host && html`<dt>${destination.warning ? texts.saysItIsFrom : texts.publishedBy}</dt><dd><strong>${bdi(client.host)}</strong></dd>`}
<dt>${texts.onTheServer}</dt><dd>${bdi(resource.identifier)}</dd>
<dt>${texts.accessGoesTo}</dt><dd>${bdi(destination.place)}${destination.about && html` <span class="soft">· ${inWords(language, destination.about)}</span>`}</dd>
</dl>
${copyNote(client, language)}
${notice(destination, language)}
<form id="approve" class="late" method="post" action="${view.path}/approve">
<input type="hidden" name="token" value="${view.token}">
${view.selectsAccount && html`<input type="hidden" name="account" value="other">`}
${view.account ? sessionChoice(view.account, view) : upstreamButtons(view)}
</form>
<form method="post" action="${view.path}/deny">
<input type="hidden" name="token" value="${view.token}">
<button class="quiet">${texts.deny}</button>
</form>
</div>
<footer>${texts.notExpecting}</footer>`,
  });
}

type Client = PendingInteraction['client'];

/** A name keeps its own direction. */
const bdi = (text: string): Html => html`<bdi>${text}</bdi>`;

/** Says that the details come from the operator's copy, if they do. */
const copyNote = ({ host, copiedAt }: Client, language: Language): Html | undefined => {
  if (copiedAt === undefined) return undefined;
  const date = dayIn(language, copiedAt);
  return html`<p class="soft small">${fill(language, 'copyNote', { host: bdi(host ?? ''), date })}</p>`;
};

/** What cannot be left out comes before what can. */
const fixedFirst = (scopes: PendingInteraction['scopes']): PendingInteraction['scopes'] =>
  scopes.toSorted((one, other) => Number(other.isFixed ?? false) - Number(one.isFixed ?? false));

/** A scope that is not fixed has a box, ticked as the client asked. */
function scopeItem(scope: PendingInteraction['scopes'][number], language: Language): Html {
  const { name, isFixed, tools } = scope;
  const words = scopeWords(scope, language);
  const text = tools?.isReadOnly ? html`${words} <span class="tag">${language.texts.readOnly}</span>` : words;
  const more = scope.upstream ? upstreamList(scope.upstream, language) : toolList(tools, language);
  if (isFixed) return html`<li>${text}${more}</li>`;
  return html`<li class="choice"><label><input type="checkbox" form="approve" name="scope" value="${name}" autocomplete="off" checked> <span>${text}</span></label>${more}</li>`;
}

/** It is not folded: the person approves what it says. */
const upstreamList = (upstream: UpstreamScope, language: Language): Html =>
  html`<ul class="within">${upstreamItems(upstream, language)}</ul>
<p class="within soft small">${fill(language, 'upstreamAsks', { provider: bdi(upstream.provider) })}</p>`;

const toolList = (tools: PendingInteraction['scopes'][number]['tools'], language: Language): Html | undefined =>
  tools &&
  html`<details class="tools">
<summary>${fill(language, 'tools', { count: String(tools.titles.length + tools.more) })}</summary>
<ul>${tools.titles.map((title) => html`<li><bdi>${title}</bdi></li>`)}${tools.more > 0 && html`<li>${fill(language, 'moreTools', { count: String(tools.more) })}</li>`}</ul>
</details>`;

/** The texts of what a resource learns about the person. */
export const CLAIMS = {
  name: 'learnsName',
  username: 'learnsUsername',
  email: 'learnsEmail',
  groups: 'learnsGroups',
  roles: 'learnsRoles',
  org: 'learnsOrg',
} as const satisfies Readonly<Record<PersonClaim, keyof Language['texts']>>;

const notice = ({ warning }: Destination, language: Language): Html | undefined =>
  warning === undefined ? undefined : html`<p class="notice">${inMarkup(language, warning)}</p>`;

const upstreamButtons = ({ connectors, language }: SignInView, style = ''): readonly Html[] =>
  connectors.map(
    ({ id, title }) =>
      html`<button class="${style}" name="connector" value="${id}">${fill(language, 'continueWith', { provider: bdi(title) })}</button>`,
  );

function sessionChoice(account: Account, view: SignInView): Html {
  const { connectors, pending, language } = view;
  const { texts } = language;
  const { email, username, name } = account.identity;
  const through = connectors.find(({ id }) => id === account.connector)?.title;
  const person = html`<strong><bdi>${email ?? username ?? name ?? texts.lastAccount}</bdi></strong>`;
  return html`<p>${fill(language, 'signedInAs', { person })}${through && html` <span class="soft">${fill(language, 'through', { provider: bdi(through) })}</span>`}</p>
<button>${texts.approve}</button>
<details class="plain"${pending.choosesAccount && trusted(' open')}>
<summary>${texts.notYou}</summary>
${upstreamButtons(view, 'quiet')}
<button class="quiet" formaction="${view.path}/sign-out">${texts.signOut}</button>
</details>`;
}
