/**
 * Proves, in a real Chromium, that every page can be used by everybody (WCAG 2.2): axe finds nothing, light and dark, wide and at
 * 320 px, and the keyboard is enough. The screenshots are in test/.screenshots.
 */
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriersOf, tabStops } from '../support/accessibility.ts';
import { signIn, useBrowser } from '../support/browser.ts';
import { OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts';
import { ROOT, Run, Stack } from '../support/stack.ts';

const SCOPES = { scope: 'mcp:tools mcp:admin' };
const WEB = 'https://app.example/callback';
const APP = 'com.example.notes:/callback';
const LONG = 'An-application-with-a-name-that-has-no-blank-where-a-line-could-break-0123456789';
const KNOWN = { client_id: 'portal', client_name: 'Portal', redirect_uris: [WEB], token_endpoint_auth_method: 'none' };

const folder = mkdtempSync(join(tmpdir(), 'accessibility-'));
const logo = join(folder, 'logo.svg');
writeFileSync(
  logo,
  '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><circle cx="32" cy="32" r="30" fill="#e8590c"/></svg>',
);

/** An MCP server whose tokens name the organisation, so that a person of several chooses one. */
const OF_ORGANISATIONS = 'http://localhost:1';

let stack: Stack;
beforeAll(async () => {
  const ports = await freePorts(3);
  const organisations = { url: OF_ORGANISATIONS, name: 'Acme Notes', scopes: { notes: 'Read notes' }, claims: ['org'] };
  const settings = {
    RESOURCES: JSON.stringify([{ url: `http://localhost:${ports[0]}` }, organisations]),
    CONNECTOR_DEVELOPMENT_ORG_CLAIM: 'groups',
    SERVER_NAME: 'Acme Notes',
    CLIENTS: JSON.stringify([KNOWN]),
    PEOPLE_DENY: 'email:bob@example.com',
    TOKEN_CLAIMS: 'name,email',
    BRAND_NAME: 'Acme',
    BRAND_LOGO: logo,
    BRAND_ACCENT: '#ffd43b',
    SUPPORT_URL: 'mailto:help@example.com',
    PRIVACY_URL: 'https://example.com/privacy',
  };
  stack = await Stack.start(settings, ports);
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
const browser = useBrowser();

interface Request {
  readonly metadata?: { readonly redirect_uris?: readonly string[]; readonly client_name?: string };
  readonly parameters?: Readonly<Record<string, string>>;
}

async function askAs(page: Page, { metadata = {}, parameters = SCOPES }: Request = {}): Promise<OAuthClient> {
  const client = await OAuthClient.register(stack, metadata);
  const redirect = { redirect_uri: metadata.redirect_uris?.[0] ?? REDIRECT_URI };
  await page.goto(client.authorizationUrl({ ...redirect, ...parameters }).href);
  return client;
}

async function goThrough(page: Page, person: RegExp): Promise<void> {
  await page.getByRole('button', { name: /^Continue with/ }).click();
  await page.getByRole('button', { name: person }).click();
}

/** A session of Alice in the context of the page. */
async function withSession(page: Page): Promise<void> {
  await signIn(page.context(), (await OAuthClient.register(stack)).authorizationUrl());
}

interface Shown {
  readonly heading: RegExp;
  readonly options?: BrowserContextOptions;
  open(page: Page): Promise<unknown>;
}

const PAGES: Readonly<Record<string, Shown>> = {
  'sign-in for a website': { heading: /^Allow/, open: (page) => askAs(page, { metadata: { redirect_uris: [WEB] } }) },
  'sign-in with a warning': { heading: /^Allow/, open: (page) => askAs(page) },
  'sign-in for an app': { heading: /^Allow/, open: (page) => askAs(page, { metadata: { redirect_uris: [APP] } }) },
  'sign-in with a long name': { heading: /^Allow/, open: (page) => askAs(page, { metadata: { client_name: LONG } }) },
  'sign-in with the tools of each scope': {
    heading: /^Allow/,
    open: async (page) => {
      await askAs(page);
      for (const summary of await page.locator('details.tools summary').all()) await summary.click();
    },
  },
  'sign-in of a known client': {
    heading: /^Allow/,
    open: async (page) => {
      const url = (await OAuthClient.register(stack)).authorizationUrl({ client_id: 'portal', redirect_uri: WEB });
      await page.goto(url.href);
    },
  },
  'sign-in with a session': {
    heading: /^Allow/,
    open: async (page) => {
      await withSession(page);
      await askAs(page);
      await page.getByText('Not you?').click();
      await page.locator('details.plain[open]').waitFor();
    },
  },
  'sign-in with a choice of the account': {
    heading: /^Allow/,
    open: async (page) => {
      await withSession(page);
      await askAs(page, { parameters: { prompt: 'select_account' } });
    },
  },
  'sign-in in German': { heading: /^Darf/, options: { locale: 'de-DE' }, open: (page) => askAs(page) },
  'sign-in in French': { heading: /^Autoriser/, options: { locale: 'fr-FR' }, open: (page) => askAs(page) },
  'error of an address': { heading: /^Nothing here/, open: (page) => page.goto(`${stack.authUrl}/nothing`) },
  'error of an unknown app': {
    heading: /^This app is not registered/,
    open: (page) => page.goto(`${stack.authUrl}/authorize?client_id=none&response_type=code`),
  },
  'error with the way back to the app': {
    heading: /^This request/,
    open: (page) =>
      askAs(page, { metadata: { redirect_uris: [WEB] }, parameters: { response_type: 'token', code_challenge: '' } }),
  },
  'error of a sign-in that has ended': {
    heading: /^This did not work/,
    open: (page) => page.goto(`${stack.authUrl}/interaction/none`),
  },
  'refusal of a person': {
    heading: /^This account has no access/,
    open: async (page) => {
      await askAs(page);
      await goThrough(page, /Bob/);
    },
  },
  'sign-out with a session': {
    heading: /^Sign out/,
    open: async (page) => {
      await withSession(page);
      await page.goto(`${stack.authUrl}/logout`);
    },
  },
  'signed out, with the way to sign out at the provider': {
    heading: /^You are signed out/,
    open: async (page) => {
      await withSession(page);
      await page.goto(`${stack.authUrl}/logout`);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('link', { name: /^Sign out at .* as well$/ }).waitFor();
    },
  },
  'sign-out of nobody': { heading: /signed in/, open: (page) => page.goto(`${stack.authUrl}/logout`) },
  'choice of an organisation': {
    heading: /^Which organisation/,
    open: async (page) => {
      await askAs(page, { parameters: { resource: `${OF_ORGANISATIONS}/mcp`, scope: 'notes' } });
      await goThrough(page, /Alice/);
      await page.getByRole('combobox', { name: 'Organisation' }).waitFor();
    },
  },
  'finished with access': {
    heading: /^You can close this page/,
    open: async (page) => {
      await askAs(page, { metadata: { redirect_uris: [APP] } });
      await goThrough(page, /Alice/);
    },
  },
  'finished without access': {
    heading: /^No access was given/,
    open: async (page) => {
      await askAs(page, { metadata: { redirect_uris: [APP] } });
      await page.getByRole('button', { name: 'Deny' }).click();
    },
  },
  'page of the MCP server': { heading: /Acme Notes/, open: (page) => page.goto(stack.mcpUrl) },
  'sign-in for development': {
    heading: /^Who do you want to be/,
    open: async (page) => {
      await askAs(page);
      await page.getByRole('button', { name: /^Continue with/ }).click();
    },
  },
};

describe('WCAG 2.2 the pages', () => {
  it.each(Object.entries(PAGES))('%s has no barrier, light and dark, wide and at 320 px', async (name, shown) => {
    const context = await browser().newContext(shown.options);
    const page = await context.newPage();
    await shown.open(page);
    await page.getByRole('heading', { level: 1, name: shown.heading }).waitFor();
    expect(await barriersOf(page, name.replaceAll(' ', '-'))).toEqual([]);
    await context.close();
  });
});

/** An auth-server without a brand, with one more file in its folder of languages. */
async function startInHebrew(): Promise<AsyncDisposable & { readonly stack: Stack }> {
  const copy = mkdtempSync(join(tmpdir(), 'languages-'));
  for (const name of ['src', 'package.json'])
    cpSync(join(ROOT, 'auth-server', name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const language = join(ROOT, 'auth-server/test/languages/dropped-in/hebrew.ts');
  writeFileSync(join(copy, 'src/languages/hebrew.ts'), `export { hebrew } from ${JSON.stringify(language)};`);
  const [port] = await freePorts(1);
  const authUrl = `http://localhost:${port}`;
  const run = new Run(
    { ISSUER: authUrl, RESOURCES: stack.mcpUrl, DATA_DIR: join(copy, 'data') },
    join(copy, 'src/main.ts'),
  );
  await run.says('"msg":"ready"');
  return {
    stack: { authUrl, mcpUrl: stack.mcpUrl } as Stack,
    [Symbol.asyncDispose]: async () => {
      await run.stop();
      rmSync(copy, { recursive: true });
    },
  };
}

describe('WCAG 2.2 a language that is written from right to left', () => {
  it('the sign-in page has no barrier without a brand, and its check boxes are on the right', async () => {
    await using server = await startInHebrew();
    const context = await browser().newContext({ locale: 'he-IL' });
    const page = await context.newPage();
    await page.goto((await OAuthClient.register(server.stack)).authorizationUrl(SCOPES).href);
    await page.locator('html[lang=he][dir=rtl]').waitFor();
    await page.locator('summary').first().click();
    expect(await barriersOf(page, 'sign-in-from-right-to-left')).toEqual([]);
    const [box, text] = [page.getByRole('checkbox'), page.getByText('See the status')];
    const [left, right] = [(await box.boundingBox())?.x ?? 0, (await text.boundingBox())?.x ?? 0];
    expect(left).toBeGreaterThan(right);
    await context.close();
  });
});

describe('WCAG 2.2 §2.1.1 the keyboard', () => {
  it('WCAG 2.2 §2.4.3, §2.4.7 the Tab key stops at every control, in their order, and each stop is visible', async () => {
    const context = await browser().newContext();
    const page = await context.newPage();
    await askAs(page);
    const stops = await tabStops(page);
    expect(stops.map(({ tag, text }) => `${tag}: ${text.replace(/\s+/g, ' ')}`)).toEqual([
      expect.stringMatching(/^summary: Tools: \d+$/),
      expect.stringMatching(/^input: See the status of this server.* read only$/),
      'summary: Tools: 1',
      expect.stringMatching(/^button: Continue with/),
      'button: Deny',
      'a: Help',
      'a: Privacy',
    ]);
    expect(stops.filter(({ isVisible }) => !isVisible)).toEqual([]);
    await context.close();
  });

  it('a person leaves out a scope, reads the tools, signs in and comes back to the app by the keyboard alone', async () => {
    const context = await browser().newContext();
    const page = await context.newPage();
    const client = await askAs(page, { metadata: { redirect_uris: [APP] } });
    const press = async (role: 'button' | 'checkbox' | 'summary', name: RegExp, key: string) => {
      const target = role === 'summary' ? page.locator(role, { hasText: name }) : page.getByRole(role, { name });
      await target.waitFor();
      // Approve takes nothing for 0.7 s.
      await page.evaluate('Promise.all(document.getAnimations().map(({ finished }) => finished))');
      for (let tabs = 0; !(await target.evaluate((element) => element.matches(':focus'))); tabs += 1) {
        if (tabs > 20) throw new Error(`the Tab key does not reach ${name}`);
        await page.keyboard.press('Tab');
      }
      await page.keyboard.press(key);
    };
    await press('summary', /Tools: 6/, 'Enter');
    await page.getByText('Who am I?').waitFor();
    await press('checkbox', /See the status/, 'Space');
    await press('button', /^Continue with/, 'Enter');
    await press('button', /Alice/, 'Enter');
    const link = page.getByRole('link', { name: 'Open the app' });
    const answer = new URL((await link.getAttribute('href')) ?? '');
    const { json } = await client.redeem(answer.searchParams.get('code') ?? '', { redirect_uri: APP });
    expect(json.scope).toBe('mcp:tools');
    await context.close();
  });
});
