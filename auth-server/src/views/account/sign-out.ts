/** Owns the section of the account page on which a person signs out of this browser, or of all. */
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import type { Language } from '../../languages/language.ts';

export interface SignOutSectionView {
  readonly language: Language;
  /** Path of the page to sign out of this browser. */
  readonly here: string;
  /** Path to which the form posts that signs out everywhere. */
  readonly everywhere: string;
  readonly token: string;
}

export const signOutSection = ({ language: { texts }, here, everywhere, token }: SignOutSectionView): Html =>
  html`<h2>${texts.signOutHeading}</h2>
<p>${texts.signOutExplained}</p>
<a class="button quiet" href="${here}">${texts.signOutHere}</a>
<form method="post" action="${everywhere}">
<input type="hidden" name="token" value="${token}">
<button class="quiet">${texts.signOutEverywhere}</button>
</form>`;
