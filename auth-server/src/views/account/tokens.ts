/** Owns the section of the account page with the personal tokens of a person: the list, a form for each server, and a new token, once. */
import type { PersonClaim } from '@mcp-oauth/shared/contract';
import { type Html, html } from '@mcp-oauth/shared/pages/html';
import { dayIn, fill, type Language } from '../../languages/language.ts';
import { CLAIMS } from '../sign-in.ts';

export interface TokensSectionView {
  readonly language: Language;
  readonly tokens: readonly {
    readonly id: string;
    readonly name: string;
    /** The name of the server. */
    readonly server: string;
    readonly scopes: readonly string[];
    /** Seconds since the epoch. */
    readonly createdAt: number;
    readonly expiresAt: number;
  }[];
  readonly offers: readonly Offer[];
  /** Seconds, in order. */
  readonly lifetimes: readonly number[];
  /** Paths to which the forms post. */
  readonly paths: { readonly create: string; readonly end: string };
  readonly token: string;
  /** Names a form, so that it makes one token however often it is sent. */
  readonly request: string;
  readonly longestName: number;
}

/** A server for which the person may have tokens. */
interface Offer {
  readonly resource: string;
  readonly server: string;
  /** Names with what they allow. */
  readonly scopes: readonly { readonly name: string; readonly text: string; readonly isChosen: boolean }[];
  /** What a token says about the person. */
  readonly claims: readonly PersonClaim[];
}

export function tokensSection(view: TokensSectionView): Html {
  const { language, tokens, offers } = view;
  const { texts } = language;
  return html`<h2>${texts.tokensHeading}</h2>
<p>${texts.tokensExplained}</p>
${tokens.length > 0 && html`<ul class="entries">${tokens.map((token) => entry(token, view))}</ul>`}
${offers.map((offer) => creation(offer, view))}`;
}

const entry = (
  { id, name, server, scopes, createdAt, expiresAt }: TokensSectionView['tokens'][number],
  { language, paths, token }: TokensSectionView,
): Html => html`<li>
<p><strong><bdi>${name}</bdi></strong></p>
<p class="soft small"><bdi>${server}</bdi> · ${scopes.map((scope) => html`<code>${scope}</code> `)}</p>
<p class="soft small">${fill(language, 'tokenLives', { created: dayIn(language, createdAt), end: dayIn(language, expiresAt) })}</p>
<form method="post" action="${paths.end}">
<input type="hidden" name="token" value="${token}">
<input type="hidden" name="id" value="${id}">
<button class="quiet" aria-label="${fill(language, 'tokenEndNamed', { name })}">${language.texts.tokenEnd}</button>
</form>
</li>`;

const creation = (
  { resource, server, scopes, claims }: Offer,
  { language, paths, token, request, lifetimes, longestName }: TokensSectionView,
): Html => html`<details>
<summary>${fill(language, 'tokenNew', { server: html`<bdi>${server}</bdi>` })}</summary>
<form method="post" action="${paths.create}">
<input type="hidden" name="token" value="${token}">
<input type="hidden" name="request" value="${request}">
<input type="hidden" name="resource" value="${resource}">
<label class="field"><span>${language.texts.tokenName}</span>
<input type="text" name="name" required maxlength="${longestName}" autocomplete="off"></label>
<label class="field"><span>${language.texts.tokenLife}</span>
<select name="lifetime">${lifetimes.map((seconds) => html`<option value="${seconds}">${lengthIn(language, seconds)}</option>`)}</select></label>
<p>${language.texts.tokenScopes}</p>
<ul class="ticks">${scopes.map(
  ({ name, text, isChosen }) =>
    html`<li class="choice"><label><input type="checkbox" name="scope" value="${name}"${isChosen && ' checked'}><span>${text} <code>${name}</code></span></label></li>`,
)}</ul>
${
  claims.length > 0 &&
  html`<p>${language.texts.tokenLearns}</p>
<ul class="ticks">${claims.map((name) => html`<li>${language.texts[CLAIMS[name]]}</li>`)}</ul>`
}
<button>${language.texts.tokenCreate}</button>
</form>
</details>`;

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** A duration in the largest unit that fits. */
function lengthIn({ tag }: Language, seconds: number): string {
  const [unit, length] = UNITS.find(([, size]) => seconds % size === 0) ?? ['second', 1];
  return new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'long' }).format(seconds / length);
}

/** A new token, which no other answer has again. */
export const newToken = (
  language: Language,
  { name, token }: { readonly name: string; readonly token: string },
): Html =>
  html`<h2>${fill(language, 'tokenShown', { name: html`<bdi>${name}</bdi>` })}</h2>
<p>${language.texts.tokenCopy}</p>
<input type="text" readonly value="${token}" aria-label="${language.texts.tokenItself}">`;

export const tokenRefused = (text: string): Html => html`<p>${text}</p>`;
