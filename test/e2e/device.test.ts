/**
 * Proves a sign-in without a browser on the machine (RFC 8628): `npm run client -- URL login --device` against the real processes, a
 * person in a real Chromium, and a tool call; and that the pages can be used by everybody (WCAG 2.2).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriersOf } from '../support/accessibility.ts';
import { useBrowser } from '../support/browser.ts';
import { OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';
import { runTerminalClient } from '../support/terminal-client.ts';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

let stack: Stack;
let config: string;
beforeAll(async () => {
  config = mkdtempSync(join(tmpdir(), 'mcp-client-'));
  stack = await Stack.start({ DEVICE_AUTHORIZATION: 'on' });
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  rmSync(config, { recursive: true, force: true });
});
const browser = useBrowser();

const terminal = (args: readonly string[], onError?: (text: string) => void) =>
  runTerminalClient([`${stack.mcpUrl}/mcp`, ...args], { env: { XDG_CONFIG_HOME: config }, onError });

/** Starts the sign-in in the terminal; the person reads the code there. */
function loginByDevice() {
  const shown = Promise.withResolvers<{ url: string; code: string }>();
  const ended = terminal(['login', '--device'], (text) => {
    const [code = ''] = /[B-Z]{4}-[B-Z]{4}/.exec(text) ?? [];
    const [url = ''] = /http\S+\/device\b/.exec(text) ?? [];
    if (code && url) shown.resolve({ url, code });
  });
  return { shown: shown.promise, ended };
}

async function enterCode(page: Page, code: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Code' }).fill(code.toLowerCase().replace('-', ''));
  await page.getByRole('button', { name: 'Continue' }).click();
}

describe('RFC 8628 npm run client -- URL login --device', () => {
  it('RFC 8628 §3 a person approves in Chromium, and the terminal calls a tool in their name', async () => {
    const { shown, ended } = loginByDevice();
    const { url, code } = await shown;
    const context = await browser().newContext();
    const page = await context.newPage();
    await page.goto(url);
    await enterCode(page, code);
    await page.getByRole('heading', { name: 'Does your device show this code?' }).waitFor();
    expect(await page.locator('p.code').textContent()).toBe(code);
    await page.getByText('they want access to your account').waitFor();
    await page.getByRole('button', { name: 'Yes, this is my device' }).click();
    await page.getByText('a device that shows this code').waitFor();
    await page.getByRole('button', { name: /^Continue with/ }).click();
    await page.getByRole('button', { name: /Alice/ }).click();
    await page.getByRole('heading', { name: 'Your device has access' }).waitFor();
    const { status, stdout, stderr } = await ended;
    expect([status, stdout, stderr]).toEqual([0, expect.stringContaining(`Signed in by ${stack.authUrl}`), stderr]);
    const call = await terminal(['call', 'whoami']);
    expect([call.status, call.stderr]).toEqual([0, '']);
    expect(call.stdout).toContain('mcp:tools');
    await context.close();
  });

  it('RFC 8628 §3.5 a person who denies ends the wait of the terminal', async () => {
    rmSync(join(config, 'mcp-oauth-client'), { recursive: true, force: true });
    const { shown, ended } = loginByDevice();
    const { url, code } = await shown;
    const context = await browser().newContext();
    const page = await context.newPage();
    await page.goto(`${url}?user_code=${code}`);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByRole('heading', { name: 'No access was given' }).waitFor();
    const { status, stderr } = await ended;
    expect(status).not.toBe(0);
    expect(stderr).toContain('access_denied');
    await context.close();
  });
});

async function newCode(): Promise<string> {
  const client = await OAuthClient.register(stack, {
    client_name: 'Terminal',
    redirect_uris: [REDIRECT_URI],
    grant_types: [DEVICE_GRANT],
    response_types: [],
    application_type: 'native',
  });
  return String((await client.post('/device_authorization', { scope: 'mcp:tools mcp:admin' })).json.user_code);
}

interface Shown {
  readonly heading: RegExp;
  readonly options?: BrowserContextOptions;
  open(page: Page): Promise<unknown>;
}

const compare = async (page: Page) => {
  await page.goto(`${stack.authUrl}/device?user_code=${await newCode()}`);
  await page.locator('form button').first().click();
  await page.locator('p.code').waitFor();
};
const approve = async (page: Page) => {
  await compare(page);
  await page.locator('button[name=confirm]').click();
  await page.locator('#approve').waitFor();
};

const PAGES: Readonly<Record<string, Shown>> = {
  'device code': { heading: /^Connect/, open: (page) => page.goto(`${stack.authUrl}/device`) },
  'device code that is refused': {
    heading: /^Connect/,
    open: async (page) => {
      await page.goto(`${stack.authUrl}/device`);
      await enterCode(page, 'BBBB-BBBB');
      await page.getByRole('alert').waitFor();
    },
  },
  'device code to compare': { heading: /^Does/, open: compare },
  'device code to compare in German': { heading: /^Zeigt/, options: { locale: 'de-DE' }, open: compare },
  'device code to compare in French': { heading: /^Votre/, options: { locale: 'fr-FR' }, open: compare },
  'sign-in for a device': { heading: /^Allow/, open: approve },
  'end of a sign-in for a device': {
    heading: /^Your device has access/,
    open: async (page) => {
      await approve(page);
      await page.getByRole('button', { name: /^Continue with/ }).click();
      await page.getByRole('button', { name: /Alice/ }).click();
    },
  },
  'denial of a sign-in for a device': {
    heading: /^No access/,
    open: async (page) => {
      await approve(page);
      await page.getByRole('button', { name: 'Deny' }).click();
    },
  },
  'form for a device that is out of date': {
    heading: /^This did not work/,
    open: async (page) => {
      await page.goto(`${stack.authUrl}/device`);
      await page.context().clearCookies();
      await enterCode(page, 'BBBB-BBBB');
    },
  },
};

describe('WCAG 2.2 the pages of a device', () => {
  it.each(Object.entries(PAGES))('%s has no barrier, light and dark, wide and at 320 px', async (name, shown) => {
    const context = await browser().newContext(shown.options);
    const page = await context.newPage();
    await shown.open(page);
    await page.getByRole('heading', { level: 1, name: shown.heading }).waitFor();
    expect(await barriersOf(page, name.replaceAll(' ', '-'))).toEqual([]);
    await context.close();
  });
});
