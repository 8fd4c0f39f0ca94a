/**
 * Owns the page for a person who may not come in: as whom they signed in, how to use another account, whom to ask, and how the app
 * gets its answer (RFC 6749 §4.1.2.1).
 */
import { html } from '@mcp-oauth/shared/pages/html';
import { page } from '@mcp-oauth/shared/pages/page';
import type { Identity } from '../federation/connector.ts';

export interface RefusalView {
  readonly identity: Identity;
  /** The name of the provider on its button. */
  readonly provider: string;
  /** Path of the sign-in page, where another account can be chosen. */
  readonly again: string;
  /** Path that takes the answer to the app. */
  readonly finish: string;
  /** The request id, which finds the log line with the rule. */
  readonly reference: string;
}

export function refusalPage({ identity, provider, again, finish, reference }: RefusalView): string {
  const { email, unverifiedEmail, username, name } = identity;
  const who = email ?? unverifiedEmail ?? username ?? name;
  return page({
    title: 'This account may not come in',
    body: html`<div class="card">
<h1>This account may not come in</h1>
<p>You signed in ${who ? html`as <strong><bdi>${who}</bdi></strong> ` : ''}with ${provider}. This server does not admit this account, so the app got no access.</p>
<p>If you have another account that is admitted, use that one. Otherwise ask the operator of this server.</p>
<a class="button" href="${again}">Use another account</a>
<a class="button quiet" rel="noreferrer" href="${finish}">Return to the app without access</a>
</div>
<footer>The app gets its answer after ten seconds. Tell the operator this reference:<br><code>${reference}</code></footer>`,
  });
}
