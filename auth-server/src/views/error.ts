/** Owns the page that a person sees when something fails: what happened, what to do next, and a reference for the log. */
import { html } from '@mcp-oauth/shared/pages/html';
import { page } from '@mcp-oauth/shared/pages/page';

export interface ErrorView {
  readonly title: string;
  readonly message: string;
  /** What to do next. */
  readonly next?: string;
  /** The request id, which is in every log line about the request. */
  readonly reference?: string | undefined;
}

export const errorPage = ({ title, message, next, reference }: ErrorView): string =>
  page({
    title,
    body: html`<div class="card">
<h1>${title}</h1>
<p>${message}</p>
${next && html`<p>${next}</p>`}
</div>
${reference && html`<footer>If it keeps happening, tell the operator this reference:<br><code>${reference}</code></footer>`}`,
  });
