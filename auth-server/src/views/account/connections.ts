/** Owns the section of the account page with the accounts that tools use for the person, and a button to disconnect each. */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import { label } from '../../federation/subject.ts';
import { fill, type Language, momentIn } from '../../languages/language.ts';
import { type ShownClient, shownName } from '../client/client-name.ts';
import { upstreamItems } from '../client/upstream-words.ts';

interface ListedConnection {
  /** The id of the connector, sent back by the form that disconnects it. */
  readonly connector: string;
  /** The name of the upstream. */
  readonly provider: string;
  /** The type of the connector. */
  readonly type?: string | undefined;
  readonly account: { readonly name?: string | undefined };
  readonly scopes: readonly string[];
  /** The clients for which it was connected; `undefined` for one that is not registered any more. */
  readonly clients: readonly (ShownClient | undefined)[];
  /** In seconds since the epoch. */
  readonly connectedAt: number;
  /** Whether the upstream has ended it. */
  readonly hasEnded: boolean;
}

export interface ConnectionsView {
  readonly language: Language;
  readonly connections: readonly ListedConnection[];
  /** Path to which the forms post. */
  readonly disconnect: string;
  readonly token: string;
}

export function connectionsSection(view: ConnectionsView): Html {
  const { language, connections } = view;
  const { texts } = language;
  if (connections.length === 0) return html`<h2>${texts.connectionsHeading}</h2>\n<p>${texts.noConnections}</p>`;
  return html`<h2>${texts.connectionsHeading}</h2>
<p class="soft small">${texts.connectionsExplained}</p>
<ul class="entries">${connections.map((connection) => html`<li>${entry(connection, view)}</li>`)}</ul>`;
}

function entry(connection: ListedConnection, { language, disconnect, token }: ConnectionsView): Html {
  const { connector, provider, account, clients, connectedAt, hasEnded } = connection;
  const { texts } = language;
  const name = label(account.name);
  const from = html`<bdi>${provider}</bdi>`;
  const apps = [...new Set(clients.map((client) => shownName(client, language)))];
  return html`<h3>${from}</h3>
${hasEnded && html`<p class="notice">${fill(language, 'connectionEnded', { provider: from })}</p>`}
<dl class="facts">
${name && html`<dt>${texts.connectionName}</dt><dd><bdi>${name}</bdi></dd>`}
${apps.length > 0 && html`<dt>${texts.connectionFor}</dt><dd>${apps.map((app, index) => html`${index > 0 && ', '}<bdi>${app}</bdi>`)}</dd>`}
<dt>${texts.mayDo}</dt><dd><ul class="ticks">${upstreamItems(connection, language)}</ul></dd>
<dt>${texts.connectedSince}</dt><dd><time datetime="${new Date(connectedAt * 1000).toISOString()}">${momentIn(language, connectedAt)}</time></dd>
</dl>
<form method="post" action="${disconnect}">
<input type="hidden" name="token" value="${token}">
<input type="hidden" name="connector" value="${connector}">
<button class="quiet">${fill(language, 'disconnect', { provider: from })}</button>
</form>`;
}
