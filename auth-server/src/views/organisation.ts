/** Owns the page on which a person of several organisations chooses the one for which an app acts. */
import { html } from '@mcp-oauth/shared/pages/html';
import { label } from '../federation/subject.ts';
import { fill } from '../languages/language.ts';
import { framed, type Look } from './frame.ts';

export interface OrganisationView extends Look {
  readonly organisations: readonly string[];
  /** The name of the resource that learns the organisation. */
  readonly resource: string;
  /** Path to which the form posts. */
  readonly path: string;
  /** Proves that the form comes from this page. */
  readonly token: string;
}

/** Enough for a list that a person can read. */
const MOST = 500;

export function organisationPage({ language, brand, organisations, resource, path, token }: OrganisationView): string {
  const { texts } = language;
  const options = organisations.slice(0, MOST).flatMap((name) => {
    const text = label(name);
    return text === undefined ? [] : [html`<option value="${name}">${text}</option>`];
  });
  return framed(
    { language, brand },
    {
      title: texts.whichOrganisation,
      body: html`<div class="card">
<h1>${texts.whichOrganisation}</h1>
<p>${fill(language, 'oneOrganisation', { resource: html`<bdi>${resource}</bdi>` })}</p>
<form method="post" action="${path}">
<input type="hidden" name="token" value="${token}">
<label class="field"><span>${texts.organisation}</span><select name="organisation" required>${options}</select></label>
<button>${texts.continue}</button>
</form>
</div>`,
    },
  );
}
