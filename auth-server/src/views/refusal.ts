/**
 * Owns the page for a person who may not come in: as whom they signed in, how to use another account, whom to ask, and how the app
 * gets its answer (RFC 6749 §4.1.2.1).
 */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import type { Identity } from '../federation/connector.ts';
import { fill } from '../languages/language.ts';
import { framed, type Look } from './frame.ts';

export interface RefusalView extends Look {
  readonly identity: Identity;
  /** The name of the provider on its button. */
  readonly provider: string;
  /** Path of the sign-in page, where another account can be chosen. */
  readonly again: string;
  /** Path that takes the answer to the app. Absent: the person came to a page of this server, without an app. */
  readonly finish?: string | undefined;
  /** The request id, which finds the log line with the rule. */
  readonly reference: string;
}

export function refusalPage({ language, brand, identity, provider, again, finish, reference }: RefusalView): string {
  const { email, unverifiedEmail, username, name } = identity;
  const { texts } = language;
  const who = email ?? unverifiedEmail ?? username ?? name;
  const person = html`<strong><bdi>${who}</bdi></strong>`;
  const from = html`<bdi>${provider}</bdi>`;
  return framed(
    { language, brand },
    {
      title: texts.notAdmittedTitle,
      body: html`<div class="card">
<h1>${texts.notAdmittedTitle}</h1>
<p>${who ? fill(language, 'signedInAsWith', { person, provider: from }) : fill(language, 'signedInWith', { provider: from })} ${finish ? texts.notAdmitted : texts.notAdmittedHere}</p>
<p>${fill(language, 'ifAdmitted', { operator: operatorOf(brand, texts.operator) })}</p>
<a class="button" href="${again}">${texts.useAnother}</a>
${
  finish &&
  html`<a class="button quiet" rel="noreferrer" href="${finish}">${texts.returnWithout}</a>
<p class="soft small">${texts.answerComes}</p>`
}
</div>
<footer>${texts.reasonReference}<br><code>${reference}</code></footer>`,
    },
  );
}

/** Whom to ask: a link where the operator has named an address. */
const operatorOf = ({ support }: Look['brand'], name: string): Html | string =>
  support === undefined ? name : html`<a rel="noreferrer" href="${support}">${name}</a>`;
