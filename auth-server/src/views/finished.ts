/**
 * Owns the page that stays in the browser when an app has its answer (RFC 8252 §7.1): a browser that hands a URL to an app leaves
 * its tab where it was.
 */
import { html } from '@mcp-oauth/shared/pages/html';
import { fill } from '../languages/language.ts';
import { destinationOf } from './destination.ts';
import { framed, type Look } from './frame.ts';

export interface FinishedView extends Look {
  /** The URL with the answer, which opens the app. */
  readonly target: string;
  /** Whether the app got access. */
  readonly isGranted: boolean;
}

export function finishedPage({ language, brand, target, isGranted }: FinishedView): string {
  const { texts } = language;
  const title = isGranted ? texts.granted : texts.notGranted;
  const place = html`<strong><bdi>${destinationOf(target).place}</bdi></strong>`;
  return framed(
    { language, brand },
    {
      title,
      body: html`<div class="card">
<h1>${title}</h1>
<p>${fill(language, 'answerSent', { place })}</p>
<p>${texts.close}</p>
<a class="button quiet" rel="noreferrer" href="${target}">${texts.openApp}</a>
</div>`,
    },
  );
}
