/** Owns the error page: what happened, what to do next, and a reference that finds the log lines. */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import { fill, inWords, type Language } from '../languages/language.ts';
import { destinationOf } from './destination.ts';
import { framed, type Look } from './frame.ts';

export interface ErrorView extends Look {
  readonly title: string;
  readonly message: string;
  /** The engine's own words, which are English. */
  readonly detail?: string | undefined;
  /** What to do next. */
  readonly next?: string;
  /** The request id, which is in every log line about the request. */
  readonly reference?: string | undefined;
  /** The answer for the app and its destination: only the person decides whether the browser goes there. */
  readonly answer?: Answer | undefined;
}

interface Answer {
  readonly redirectUri: string;
  readonly target: string;
  /** If present, they are sent by a form. */
  readonly fields?: Readonly<Record<string, string>>;
}

export const errorPage = ({ language, brand, title, message, detail, next, reference, answer }: ErrorView): string =>
  framed(
    { language, brand },
    {
      title,
      body: html`<div class="card">
<h1>${title}</h1>
<p>${message}</p>
${detail && html`<p class="soft small">${language.texts.forTheMaker} <code lang="en" dir="ltr">${detail}</code></p>`}
${next && html`<p>${next}</p>`}
${answer && wayBack(answer, language)}
</div>
${reference && html`<footer>${language.texts.reference}<br><code>${reference}</code></footer>`}`,
    },
  );

function wayBack({ redirectUri, target, fields }: Answer, language: Language): Html {
  const { place, about } = destinationOf(redirectUri);
  const label = fill(language, 'returnToApp', { place: html`<bdi>${place}</bdi>` });
  const where = html`<strong><bdi>${place}</bdi></strong>${about && html` (${inWords(language, about)})`}`;
  return html`<p>${fill(language, 'appWaits', { place: where })}</p>
${
  fields
    ? html`<form method="post" action="${target}">
${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<button class="quiet">${label}</button>
</form>`
    : html`<a class="button quiet" rel="noreferrer" href="${target}">${label}</a>`
}`;
}
