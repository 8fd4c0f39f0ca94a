/**
 * Proves in a real Chromium that a person makes a personal token on the account page, calls a tool with it, and ends it. The section
 * has no barrier (WCAG 2.2).
 */
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriersOf } from '../support/accessibility.ts';
import { open, useBrowser } from '../support/browser.ts';
import { Stack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  const ports = await freePorts(3);
  stack = await Stack.start({ PERSONAL_TOKENS: 'on', TOKEN_CLAIMS: 'name,email', SERVER_NAME: 'Acme Notes' }, ports);
});
afterAll(() => stack?.[Symbol.asyncDispose]());
const browser = useBrowser();

async function openAccount(page: Page): Promise<void> {
  await open(page, new URL(`${stack.authUrl}/account`));
  await page.getByRole('button', { name: /Alice/ }).click();
  await page.getByRole('heading', { name: 'Personal tokens' }).waitFor();
}

const call = (token: string) =>
  fetch(`${stack.mcpUrl}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'cron', version: '1' } },
    }),
  });

describe('personal tokens on the account page', () => {
  it('a person creates a token, sees it once, uses it, and ends it', async () => {
    const context = await browser().newContext();
    const page = await context.newPage();
    await openAccount(page);
    await page.getByText('New token for Acme Notes').click();
    expect(await barriersOf(page, 'personal-tokens-form')).toEqual([]);
    await page.getByLabel('Name of the program').fill('cron <b>job</b>');
    await page.getByRole('button', { name: 'Create the token' }).click();
    const shown = page.getByLabel('Your new token');
    const token = await shown.inputValue();
    expect(await barriersOf(page, 'personal-tokens-shown')).toEqual([]);
    const { status, headers } = await call(token);
    expect([status, headers.get('www-authenticate')]).toEqual([200, null]);

    // The browser sends the form once more.
    await page.reload();
    await page.getByText('was created already').waitFor();
    expect(await barriersOf(page, 'personal-tokens-refused')).toEqual([]);
    expect(await page.content()).not.toContain(token);
    await page.goto(`${stack.authUrl}/account`);
    expect(await page.content()).not.toContain(token);
    await page.getByRole('button', { name: 'End cron <b>job</b>' }).click();
    await page.getByRole('heading', { name: 'Personal tokens' }).waitFor();
    expect(await page.content()).not.toContain('cron');
    await context.close();
  });
});
