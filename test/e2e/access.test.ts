/**
 * Proves, in a real Chromium and with a real OpenID provider, what a person sees who may not come in, and that groups at the
 * provider decide about scopes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, useBrowser } from '../support/browser.ts';
import { OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({
    CONNECTOR_DEVELOPMENT_ALLOW: 'group:staff',
    PEOPLE_DENY: 'email:bob@example.com',
    SCOPE_RULES: 'mcp:admin=group:ops',
  });
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});
const browser = useBrowser();

/** Signs Bob in, who is denied, and stays on the page that says so. */
async function refused() {
  const client = await OAuthClient.register(stack);
  const context = await browser().newContext();
  const page = await context.newPage();
  await page.goto(client.authorizationUrl().href);
  await page.getByRole('button', { name: /^Continue with/ }).click();
  await page.getByRole('button', { name: /Bob/ }).click();
  await page.getByRole('heading', { name: 'This account has no access' }).waitFor();
  const answered = page
    .waitForRequest((request) => request.url().startsWith(REDIRECT_URI))
    .then((request) => new URL(request.url()).searchParams);
  answered.catch(() => {});
  return { page, answered, close: () => context.close() };
}

describe('a person who may not come in', () => {
  it('RFC 6749 §4.1.2.1 the page names the account, and its button takes access_denied to the client', async () => {
    const { page, answered, close } = await refused();
    expect(await page.getByRole('main').innerText()).toContain('bob@example.com');
    await page.getByRole('link', { name: 'Return to the app without access' }).click();
    expect((await answered).get('error')).toBe('access_denied');
    await close();
  });

  it('the client gets access_denied by itself after ten seconds', async () => {
    const { answered, close } = await refused();
    expect((await answered).get('error')).toBe('access_denied');
    await close();
  }, 30_000);

  it('another account can be used, although the provider still remembers the first', async () => {
    const { page, answered, close } = await refused();
    await page.getByRole('link', { name: 'Use another account' }).click();
    await page.getByRole('button', { name: /^Continue with/ }).click();
    await page.getByRole('button', { name: /Alice/ }).click();
    expect((await answered).get('code')).toBeTruthy();
    await close();
  });
});

describe('the start', () => {
  it('one line of the log for each connector says who may come in, and who may have which scope', () => {
    const lines = stack.run.output.split('\n').filter((line) => line.includes('people who may come in'));
    expect(lines).toEqual([
      expect.stringContaining(
        'connector=development allow=group:staff deny=email:bob@example.com scopes=mcp:admin: group:ops; every other scope but the base scope: nobody',
      ),
    ]);
  });
});

describe('SCOPE_RULES with groups of the provider', () => {
  it('RFC 6749 §5.1 a group gives a scope, and the token response says so', async () => {
    const client = await OAuthClient.register(stack);
    const context = await browser().newContext();
    const called = await signIn(context, client.authorizationUrl({ scope: 'mcp:tools mcp:admin' }), 'Alice');
    const { json } = await client.redeem(called.searchParams.get('code') ?? '');
    expect(String(json.scope).split(' ').sort()).toEqual(['mcp:admin', 'mcp:tools']);
    await context.close();
  });
});
