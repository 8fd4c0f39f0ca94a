/** Owns the page after a connection: what is connected now, and that the person goes on in the app. */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import { label } from '../../federation/subject.ts';
import { fill, inWords, said } from '../../languages/language.ts';
import { upstreamItems } from '../client/upstream-words.ts';
import { framed, type Look } from '../frame.ts';

export interface ConnectedView extends Look {
  /** The name of the upstream. */
  readonly provider: string;
  /** The type of its connector. */
  readonly type?: string | undefined;
  /** Absent: nothing is connected. */
  readonly connection:
    | { readonly account: { readonly name?: string | undefined }; readonly scopes: readonly string[] }
    | undefined;
  /** Whether the upstream gave less than tools may need. */
  readonly isPart: boolean;
  readonly accountPage: string;
}

export function connectedPage(view: ConnectedView): string {
  const { language, brand, provider, connection, accountPage } = view;
  const { texts } = language;
  const from = html`<bdi>${provider}</bdi>`;
  const body = connection && connectedBody(view);
  return framed(
    { language, brand },
    {
      title: connection ? inWords(language, said('connected', { provider })) : texts.notConnected,
      body: html`<div class="card">
<h1>${connection ? fill(language, 'connected', { provider: from }) : texts.notConnected}</h1>
${body}
<p>${texts.goOnInApp}</p>
<a class="button quiet" href="${accountPage}">${texts.seeConnections}</a>
</div>`,
    },
  );
}

function connectedBody({ language, provider, type, connection, isPart }: ConnectedView): Html {
  const name = label(connection?.account.name);
  const account = name && html`<strong><bdi>${name}</bdi></strong>`;
  return html`<p>${account ? fill(language, 'connectedAs', { name: account }) : language.texts.connectedNow}</p>
<ul class="ticks">${upstreamItems({ provider, type, scopes: connection?.scopes ?? [] }, language)}</ul>
${isPart && html`<p class="notice">${fill(language, 'connectedPart', { provider: html`<bdi>${provider}</bdi>` })}</p>`}`;
}
