/** Owns the page on which a developer chooses a person; it says clearly that this is not a real sign-in. */
import { html } from '@mcp-oauth/shared/pages/html';
import { page } from '@mcp-oauth/shared/pages/page';
import { people } from './people.ts';

export const chooserPage = (uid: string): string =>
  page({
    title: 'Development sign-in',
    body: html`<div class="card">
<h1>Who do you want to be?</h1>
<p class="notice">For development only: anybody can sign in as anybody, without a password.</p>
<form method="post" action="/interaction/${uid}">
${people.map(({ subject, name, email }) => html`<button name="person" value="${subject}">${name}<br><small>${email}</small></button>`)}
<button class="quiet" name="person" value="">Cancel</button>
</form>
</div>`,
  });

export const failurePage = (message: string): string =>
  page({
    title: 'Development sign-in',
    body: html`<div class="card"><h1>This did not work</h1><p>${message}</p><p>Go back to your app and connect again.</p></div>`,
  });
