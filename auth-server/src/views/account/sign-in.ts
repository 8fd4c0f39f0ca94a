/** Owns the page on which a person chooses how to sign in to the pages of this server, where there are several ways. */
import { html } from '@mcp-oauth/shared/pages/html';
import { fill } from '../../languages/language.ts';
import { framed, type Look } from '../frame.ts';

export interface PageSignInView extends Look {
  /** Path to which the form posts. */
  readonly path: string;
  readonly connectors: readonly { readonly id: string; readonly title: string }[];
  /** What the form sends besides the choice. */
  readonly fields: Readonly<Record<string, string>>;
  /** Whether the person is signed in, but not recently enough. */
  readonly isAgain: boolean;
}

export function pageSignInPage({ language, brand, path, connectors, fields, isAgain }: PageSignInView): string {
  const { texts } = language;
  return framed(
    { language, brand },
    {
      title: texts.signInHere,
      body: html`<div class="card">
<h1>${texts.signInHere}</h1>
<p>${isAgain ? texts.signInOnceMore : texts.chooseHow}</p>
<form method="post" action="${path}">
${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${connectors.map(
  ({ id, title }) =>
    html`<button name="connector" value="${id}">${fill(language, 'continueWith', { provider: html`<bdi>${title}</bdi>` })}</button>`,
)}
</form>
</div>`,
    },
  );
}
