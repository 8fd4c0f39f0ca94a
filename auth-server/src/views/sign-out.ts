/**
 * Owns the page on which a person signs out of this server, and what it says before and after. It offers the page of the identity
 * provider as a link (OpenID Connect RP-Initiated Logout 1.0 §2), because the person may be signed in elsewhere with it.
 */
import { html } from '@mcp-oauth/shared/pages/html';
import type { Account } from '../federation/account.ts';
import { fill, type Language } from '../languages/language.ts';
import { framed, type Look } from './frame.ts';

export interface SignOutView extends Look {
  /** Absent: nobody is signed in. */
  readonly session?: {
    /** Absent: the account is no longer known. */
    readonly account: Account | undefined;
    /** Path to which the form posts. */
    readonly path: string;
    /** Proves that the form comes from this page. */
    readonly token: string;
  };
  /** Path of the account page. */
  readonly account: string;
  /** Whether the person has just signed out. */
  readonly isDone?: boolean;
  /** Whether every access of the person has just ended as well. */
  readonly hasEndedAccess?: boolean;
  /** The page of the identity provider where the person can sign out there, and its name on the button. */
  readonly upstream?: { readonly target: string; readonly title: string } | undefined;
}

export function signOutPage(view: SignOutView): string {
  const { texts } = view.language;
  const { session, isDone, hasEndedAccess, upstream } = view;
  const title = session ? texts.signOutQuestion : isDone ? texts.signedOut : texts.notSignedIn;
  const provider = html`<bdi>${upstream?.title}</bdi>`;
  return framed(view, {
    title,
    body: html`<div class="card">
<h1>${title}</h1>
${session && html`<p>${whoOf(session.account, view.language)}</p>`}
${
  session &&
  html`<form method="post" action="${session.path}">
<input type="hidden" name="token" value="${session.token}">
<button>${texts.signOut}</button>
</form>`
}
<p>${hasEndedAccess ? texts.allAccessEnded : fill(view.language, 'appsKeepAccess', { account: html`<a href="${view.account}">${texts.account}</a>` })}</p>
${
  upstream &&
  html`<p>${fill(view.language, 'stillSignedIn', { provider })}</p>
<a class="button quiet" rel="noreferrer" href="${upstream.target}">${fill(view.language, 'signOutThere', { provider })}</a>`
}
</div>`,
  });
}

function whoOf(account: Account | undefined, language: Language) {
  const { email, username, name } = account?.identity ?? {};
  const person = html`<strong><bdi>${email ?? username ?? name ?? language.texts.lastAccount}</bdi></strong>`;
  return fill(language, 'signedInHere', { person });
}
