/**
 * Owns the page before something ends, which says exactly what ends and what follows, and the page after it. The form carries a token
 * that is good for this page once.
 */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import type { AnnouncedEnding, Fact } from '../../administration/ending.ts';
import { type AdminLook, adminPage, foreign, moment } from './frame.ts';

export interface ConfirmView extends AdminLook {
  readonly ending: AnnouncedEnding;
  /** Path of this page, to which the form posts. */
  readonly action: string;
  readonly token: string;
  /** The moment before which everything ends, in seconds since the epoch. */
  readonly before?: number | undefined;
  /** Whether an earlier page showed something else. */
  readonly hasChanged?: boolean;
}

export function confirmPage(view: ConfirmView): string {
  const { ending, action, token, before, hasChanged, base } = view;
  const title = `End ${ending.what}?`;
  return adminPage(view, {
    title,
    isCard: true,
    body: html`<div class="card">
<h1>${title}</h1>
${hasChanged && html`<p class="notice" role="alert">Nothing has ended yet: what would end has changed since the page that you confirmed.</p>`}
<dl>${ending.facts.map(factLine)}</dl>
<ul>${ending.consequences.map((text) => html`<li>${text}</li>`)}</ul>
<form class="late" method="post" action="${action}">
<input type="hidden" name="token" value="${token}">
${before !== undefined && html`<input type="hidden" name="before" value="${before}">`}
<button class="danger">End ${ending.what}</button>
<a class="button quiet" href="${base}">Back, and end nothing</a>
</form>
</div>`,
  });
}

/** A list that is longer says how many are left out. */
const MOST = 20;

const factLine = ({ title, value, at }: Fact): Html => {
  const values = at === undefined ? [value].flat() : [];
  const more = values.length - MOST;
  return html`<dt>${title}</dt><dd>${at !== undefined && html`${moment(at)} UTC`}${
    values.length === 0 && at === undefined && '–'
  }${values.slice(0, MOST).map((text, index) => html`${index > 0 && html`<br>`}${foreign(text)}`)}${
    more > 0 && html`<br>and ${more} more`
  }</dd>`;
};

export interface EndedView extends AdminLook {
  readonly what: string;
  /** How many grants have ended. Absent: they are not counted. */
  readonly grants?: number | undefined;
  /** Finds the entry of the audit. */
  readonly reference: string;
}

export function endedPage(view: EndedView): string {
  const { what, grants, reference, base } = view;
  const title = `Ended: ${what}`;
  return adminPage(view, {
    title,
    isCard: true,
    body: html`<div class="card">
<h1>${title}</h1>
${grants !== undefined && html`<p>Grants: ${grants}.</p>`}
<p>MCP servers refuse the access tokens as soon as they have read the status list again, which takes seconds.</p>
<a class="button quiet" href="${base}">Back to the overview</a>
</div>
<footer>Reference for the audit and the log<br><code>${reference}</code></footer>`,
  });
}
