/** Owns the account page: who is signed in, and one card for each section. It needs no script. */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import type { Account } from '../../federation/account.ts';
import { label } from '../../federation/subject.ts';
import { fill } from '../../languages/language.ts';
import { framed, type Look } from '../frame.ts';

export interface AccountView extends Look {
  readonly account: Account;
  /** The name of the provider on its button. Absent: it is not configured any more. */
  readonly provider: string | undefined;
  /** What the person has just done, or has to see once. */
  readonly notice?: Html | undefined;
  readonly sections: readonly Html[];
}

export function accountPage({ language, brand, account, provider, notice, sections }: AccountView): string {
  const { texts } = language;
  const { name, email, username } = account.identity;
  const person = html`<strong><bdi>${label(email ?? username ?? name) ?? texts.lastAccount}</bdi></strong>`;
  const through = provider && html`<bdi>${provider}</bdi>`;
  return framed(
    { language, brand },
    {
      title: texts.account,
      isWide: true,
      body: html`<h1>${texts.account}</h1>
<p>${through ? fill(language, 'signedInAsWith', { person, provider: through }) : fill(language, 'signedInHere', { person })}</p>
${notice && html`<div class="card" role="status">${notice}</div>`}
${sections.map((section) => html`<section class="card">${section}</section>`)}`,
    },
  );
}
