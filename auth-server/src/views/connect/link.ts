/**
 * Owns the page of a link: which app asks for an account of the person, at which upstream, for whom here, and what tools may do with it.
 * Everything that comes from a client or an upstream is escaped text.
 */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import type { Account } from '../../federation/account.ts';
import { label } from '../../federation/subject.ts';
import { fill, inWords, said } from '../../languages/language.ts';
import { originOf, type ShownClient, shownName } from '../client/client-name.ts';
import { upstreamItems } from '../client/upstream-words.ts';
import { framed, type Look } from '../frame.ts';

export interface LinkView extends Look {
  /** Absent: the client is not registered any more. */
  readonly client: (ShownClient & { readonly host?: string | undefined }) | undefined;
  /** The name of the upstream. */
  readonly provider: string;
  /** The type of its connector. */
  readonly type?: string | undefined;
  /** The person, who is signed in here. */
  readonly account: Account;
  /** The account at the upstream that is connected now. */
  readonly connected: { readonly name?: string | undefined } | undefined;
  /** As the upstream names them. */
  readonly scopes: readonly string[];
  /** Path of this page, to which its form posts. */
  readonly path: string;
  readonly accountPage: string;
  readonly token: string;
}

const bdi = (text: string): Html => html`<bdi>${text}</bdi>`;

/** As whom somebody is signed in here. */
export function personOf({ identity: { email, username, name } }: Account, fallback: string): Html {
  return html`<strong><bdi>${label(email ?? username ?? name) ?? fallback}</bdi></strong>`;
}

export function linkPage(view: LinkView): string {
  const { language, client, provider, account, connected, path, accountPage, token } = view;
  const { texts } = language;
  const asks = shownName(client, language);
  const before = label(connected?.name);
  return framed(view, {
    title: inWords(language, said('linkPageName', { provider })),
    body: html`<div class="card">
<h1>${fill(language, 'linkHeading', { provider: bdi(provider) })}</h1>
<p>${fill(language, 'linkAsks', { client: html`<strong>${bdi(asks)}</strong>` })}</p>
${client && html`<p class="soft small">${originOf(client, language)}</p>`}
<h2>${texts.linkAbilities}</h2>
<ul class="ticks">${upstreamItems(view, language)}</ul>
<dl>
<dt>${texts.linkHere}</dt><dd>${personOf(account, texts.lastAccount)}</dd>
${before && html`<dt>${texts.linkThere}</dt><dd>${bdi(before)}</dd>`}
${client?.host && html`<dt>${texts.publishedBy}</dt><dd><strong>${bdi(client.host)}</strong></dd>`}
</dl>
<p class="soft small">${fill(language, 'linkFurther', { provider: bdi(provider), account: html`<a href="${accountPage}">${texts.account}</a>` })}</p>
<p class="notice">${texts.linkWarning}</p>
<form class="late" method="post" action="${path}">
<input type="hidden" name="token" value="${token}">
<button name="decision" value="connect">${fill(language, 'continueWith', { provider: bdi(provider) })}</button>
<button class="quiet" name="decision" value="cancel">${texts.cancel}</button>
</form>
</div>`,
  });
}
