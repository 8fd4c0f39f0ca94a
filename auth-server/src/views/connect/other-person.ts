/** Owns the page for a person who opened the link of somebody else. It says nothing of the link, and what to do. */
import { html } from '@mcp-oauth/shared/pages/html';
import type { Account } from '../../federation/account.ts';
import { fill } from '../../languages/language.ts';
import { framed, type Look } from '../frame.ts';
import { personOf } from './link.ts';

export interface LinkOfOtherView extends Look {
  readonly account: Account;
  /** Path of the sign-in with another account, which leads back to the link. */
  readonly again: string;
  /** The request id, which finds the log line. */
  readonly reference: string;
}

export function linkOfOtherPage({ language, brand, account, again, reference }: LinkOfOtherView): string {
  const { texts } = language;
  const person = personOf(account, texts.lastAccount);
  return framed(
    { language, brand },
    {
      title: texts.linkForOther,
      body: html`<div class="card">
<h1>${texts.linkForOther}</h1>
<p>${fill(language, 'linkForOtherExplained', { person })}</p>
<p class="notice">${texts.linkForOtherSent}</p>
<p>${texts.linkForOtherOwn}</p>
<a class="button quiet" href="${again}">${texts.useAnother}</a>
</div>
<footer>${texts.reference}<br><code>${reference}</code></footer>`,
    },
  );
}
