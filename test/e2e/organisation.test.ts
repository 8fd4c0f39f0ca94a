/**
 * Proves in a real Chromium, with a provider that says of which organisations a person is, that the person chooses one for an app, that
 * the choice belongs to the grant, and that the tool `whoami` names it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, useBrowser } from '../support/browser.ts';
import { McpSession, OAuthClient, REDIRECT_URI, type Tokens } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ CONNECTOR_DEVELOPMENT_ORG_CLAIM: 'groups', TOKEN_CLAIMS: 'org' });
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});
const browser = useBrowser();

/** Signs Alice in, who is of the organisations staff and ops, and chooses one of them. */
async function choose(organisation: 'staff' | 'ops'): Promise<{ client: OAuthClient; tokens: Tokens }> {
  const client = await OAuthClient.register(stack);
  const context = await browser().newContext();
  const page = await context.newPage();
  const called = page.waitForRequest((request) => request.url().startsWith(REDIRECT_URI));
  await page.goto(client.authorizationUrl().href);
  await page.getByRole('button', { name: /^Continue with/ }).click();
  await page.getByRole('button', { name: /Alice/ }).click();
  const list = page.getByRole('combobox', { name: 'Organisation' });
  expect(await list.locator('option').allInnerTexts()).toEqual(['staff', 'ops']);
  await list.selectOption(organisation);
  await page.getByRole('button', { name: 'Continue' }).click();
  const code = new URL((await called).url()).searchParams.get('code') ?? '';
  const { json } = await client.redeem(code);
  await context.close();
  return { client, tokens: json as unknown as Tokens };
}

async function whoami({ access_token: token }: Pick<Tokens, 'access_token'>): Promise<unknown> {
  const session = await McpSession.open(`${stack.mcpUrl}/mcp`, token);
  const { json } = await session.call('whoami', {});
  return (json.result as { structuredContent: { org?: string } }).structuredContent.org;
}

describe('a person of two organisations', () => {
  it('RFC 9068 §2.2.3.1 whoami names the organisation that the person chose for the app, also after a refresh', async () => {
    const ops = await choose('ops');
    const staff = await choose('staff');
    expect([await whoami(ops.tokens), await whoami(staff.tokens)]).toEqual(['ops', 'staff']);
    for (const [{ client, tokens }, organisation] of [
      [ops, 'ops'],
      [staff, 'staff'],
    ] as const) {
      const { json } = await client.refresh(tokens.refresh_token);
      expect(await whoami(json as unknown as Tokens)).toBe(organisation);
    }
  });

  it('a person of one organisation is not asked, and whoami names it', async () => {
    const client = await OAuthClient.register(stack);
    const context = await browser().newContext();
    const called = await signIn(context, client.authorizationUrl(), 'Bob');
    const { json } = await client.redeem(called.searchParams.get('code') ?? '');
    expect(await whoami(json as unknown as Tokens)).toBe('staff');
    await context.close();
  });
});
