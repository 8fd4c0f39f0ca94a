/**
 * Owns the section of the account page with the apps that have access: the same words for a client and its scopes as on the sign-in
 * page, since when, last used, and a button to end each. The button that ends everything is there without an app, too: it ends personal
 * tokens and sessions as well.
 */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import { fill, type Language, momentIn } from '../../languages/language.ts';
import { originOf, type ShownClient, shownName } from '../client/client-name.ts';
import { type ShownScope, scopeWords } from '../client/scope-words.ts';

export interface ShownGrant {
  /** Sent back by the form that ends it. */
  readonly id: string;
  /** Absent: the client is not registered any more. */
  readonly client: (ShownClient & { readonly host?: string | undefined }) | undefined;
  /** Names of the servers that the app may use. */
  readonly servers: readonly string[];
  readonly scopes: readonly ShownScope[];
  readonly organisation?: string | undefined;
  readonly via: 'browser' | 'device' | 'enterprise';
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
}

export interface GrantsView {
  readonly language: Language;
  readonly grants: readonly ShownGrant[];
  /** Paths to which the forms post. */
  readonly endOne: string;
  readonly endAll: string;
  readonly token: string;
  /** Path of the page with the next grants. */
  readonly more?: string | undefined;
}

export function grantsSection({ language, grants, endOne, endAll, token, more }: GrantsView): Html {
  const { texts } = language;
  const isEmpty = grants.length === 0 && !more;
  const apps = html`<p class="soft small">${texts.connectedExplained}</p>
<ul class="entries">${grants.map((grant) => html`<li>${entry(grant, language)}${endForm(grant, { language, endOne, token })}</li>`)}</ul>
${more && html`<p><a href="${more}">${texts.moreApps}</a></p>`}`;
  return html`<h2>${texts.connectedApps}</h2>
${isEmpty ? html`<p>${texts.nothingConnected}</p>` : apps}
<details>
<summary>${texts.endAllQuestion}</summary>
<p>${texts.endAllExplained}</p>
<form class="late" method="post" action="${endAll}">
<input type="hidden" name="token" value="${token}">
<button>${texts.endAll}</button>
</form>
</details>`;
}

const FROM = { browser: 'fromBrowser', device: 'fromDevice', enterprise: 'fromEnterprise' } as const;

const bdi = (text: string): Html => html`<bdi>${text}</bdi>`;

const nameOf = ({ client }: ShownGrant, language: Language): string => shownName(client, language);

function entry(grant: ShownGrant, language: Language): Html {
  const { client, servers, scopes, organisation, via, createdAt, lastUsedAt, expiresAt } = grant;
  const { texts } = language;
  return html`<h3>${bdi(nameOf(grant, language))}</h3>
${client && html`<p class="soft small">${originOf(client, language)}</p>`}
<dl class="facts">
${client?.host && html`<dt>${texts.publishedBy}</dt><dd><strong>${bdi(client.host)}</strong></dd>`}
<dt>${texts.onTheServer}</dt><dd>${servers.map((server, index) => html`${index > 0 && ', '}${bdi(server)}`)}</dd>
${scopes.length > 0 && html`<dt>${texts.mayDo}</dt><dd><ul class="ticks">${scopes.map((scope) => html`<li>${scopeWords(scope, language)}</li>`)}</ul></dd>`}
${organisation !== undefined && html`<dt>${texts.organisation}</dt><dd>${bdi(organisation)}</dd>`}
<dt>${texts.connectedFrom}</dt><dd>${texts[FROM[via]]}</dd>
<dt>${texts.connectedSince}</dt><dd>${time(createdAt, language)}</dd>
<dt>${texts.lastRenewed}</dt><dd>${time(lastUsedAt, language)}</dd>
<dt>${texts.endsByItself}</dt><dd>${time(expiresAt, language)}</dd>
</dl>`;
}

const time = (seconds: number, language: Language): Html =>
  html`<time datetime="${new Date(seconds * 1000).toISOString()}">${momentIn(language, seconds)}</time>`;

const endForm = (
  grant: ShownGrant,
  { language, endOne, token }: Pick<GrantsView, 'language' | 'endOne' | 'token'>,
): Html => html`<form method="post" action="${endOne}">
<input type="hidden" name="token" value="${token}">
<input type="hidden" name="id" value="${grant.id}">
<button class="quiet">${fill(language, 'endAccessOf', { client: bdi(nameOf(grant, language)) })}</button>
</form>`;
