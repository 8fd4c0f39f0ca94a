/**
 * Proves, in a real Chromium, that every page can be used by everybody (WCAG 2.2): axe finds nothing, light and dark, wide and at
 * 320 px, and the keyboard is enough. The screenshots are in test/.screenshots.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brandOf } from '../../auth-server/src/branding/brand.ts';
import { english } from '../../auth-server/src/languages/english.ts';
import { createPages } from '../../auth-server/src/views/pages.ts';
import { hebrew } from '../../auth-server/test/languages/dropped-in/hebrew.ts';
import { barriersOf, tabStops } from '../support/accessibility.ts';
import { signIn, useBrowser } from '../support/browser.ts';
import { OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';

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

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({
    SERVER_NAME: 'Acme Notes',
    CLIENTS: JSON.stringify([KNOWN]),
    PEOPLE_DENY: 'email:bob@example.com',
    TOKEN_CLAIMS: 'name,email',
    BRAND_NAME: 'Acme',
    BRAND_LOGO: logo,
    BRAND_ACCENT: '#ffd43b',
    SUPPORT_URL: 'mailto:help@example.com',
    PRIVACY_URL: 'https://example.com/privacy',
  });
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
  'sign-out of nobody': { heading: /signed in/, open: (page) => page.goto(`${stack.authUrl}/logout`) },
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

  it('the page has no barrier without a brand, from right to left', async () => {
    const context = await browser().newContext();
    const page = await context.newPage();
    const markup = createPages(brandOf({})).signIn({
      language: hebrew,
      pending: {
        uid: 'uid',
        client: { id: 'client', name: 'Sample client', identity: {} },
        redirectUri: REDIRECT_URI,
        resource: { identifier: 'https://mcp.example/mcp', name: 'Acme Notes' },
        scopes: [
          { name: 'mcp:tools', description: 'Use the tools', isFixed: true },
          {
            name: 'mcp:admin',
            description: 'See the status',
            tools: { titles: ['Server status'], more: 1, isReadOnly: true },
          },
        ],
        claims: ['name'],
        accountId: undefined,
      },
      path: '/interaction/uid',
      account: undefined,
      connectors: [{ id: 'acme', title: 'Acme' }],
      token: 'token',
    });
    await page.setContent(markup);
    await page.locator('summary').first().click();
    expect(await barriersOf(page, 'sign-in-from-right-to-left')).toEqual([]);
    const [box, text] = [page.getByRole('checkbox'), page.getByText('See the status')];
    const [left, right] = [(await box.boundingBox())?.x ?? 0, (await text.boundingBox())?.x ?? 0];
    expect(left).toBeGreaterThan(right);
    await context.close();
  });
});

describe('WCAG 2.2 the choice of an organisation', () => {
  it('the page has no barrier, and its list has a name', async () => {
    const context = await browser().newContext();
    const page = await context.newPage();
    await page.setContent(
      createPages(brandOf({ brandName: 'Acme' })).organisation({
        language: english,
        organisations: ['Acme Europe', 'Acme-with-a-name-that-has-no-blank-where-a-line-could-break-0123456789'],
        resource: 'Acme Notes',
        path: '/interaction/uid/organisation',
        token: 'token',
      }),
    );
    expect(await barriersOf(page, 'choice-of-an-organisation')).toEqual([]);
    expect(await page.getByRole('combobox', { name: 'Organisation' }).inputValue()).toBe('Acme Europe');
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
