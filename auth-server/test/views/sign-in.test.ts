/**
 * Proves that the sign-in page shows what a person must know, and that text of a client is shown as text only (CWE-79).
 */
import { stylesheet } from '@mcp-oauth/shared/pages/stylesheet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { brandOf } from '../../src/branding/brand.ts';
import type { PendingInteraction } from '../../src/consent/interaction.ts';
import { english } from '../../src/languages/english.ts';
import { destinationOf } from '../../src/views/destination.ts';
import { errorPage } from '../../src/views/error.ts';
import { signInPage } from '../../src/views/sign-in.ts';
import { hebrew } from '../languages/dropped-in/hebrew.ts';

const pending: PendingInteraction = {
  uid: 'uid',
  client: { id: 'client-1', name: 'Cursor', identity: {} },
  redirectUri: 'https://app.example/callback',
  resource: { identifier: 'https://mcp.example/mcp', name: 'Example tools' },
  scopes: [{ name: 'mcp:tools', description: 'Use the tools', isFixed: true }],
  accountId: undefined,
};
const connectors = [
  { id: 'acme', title: 'Acme' },
  { id: 'github', title: 'GitHub' },
];
type View = Parameters<typeof signInPage>[0];
const show = (
  change: Partial<PendingInteraction> = {},
  account?: View['account'],
  language: View['language'] = english,
) =>
  signInPage({
    brand: brandOf({}),
    language,
    pending: { ...pending, ...change },
    path: '/interaction/uid',
    account,
    connectors,
    token: 'form-token',
  });
const named = (name: string | undefined) => show({ client: { ...pending.client, name } });

describe('the sign-in page', () => {
  it('the sign-in page says who asks, for what, on which server, and where the answer goes', () => {
    const page = show();
    for (const said of [
      'Cursor',
      'unverified',
      'Use the tools',
      'https://mcp.example/mcp',
      'Example tools',
      'app.example',
    ]) {
      expect(page).toContain(said);
    }
    expect([...page.matchAll(/Continue with <bdi>(\w+)/g)].map(([, title]) => title)).toEqual(['Acme', 'GitHub']);
    expect(page).toContain('Deny');
  });

  it('the sign-in page names the signed-in account and offers another one', () => {
    const identity = { issuer: 'https://id.example', subject: '1', email: 'alice@example.com' };
    const page = show({ accountId: 'a' }, { accountId: 'a', connector: 'acme', identity });
    expect(page).toContain('alice@example.com');
    expect(page).toContain('>Approve<');
    expect(page).toContain('Use another account');
    expect(page).toContain('Continue with <bdi>GitHub</bdi>');
  });

  it.each([undefined, '', ' \n '])('a client without a name (%j) is shown as such, without its id', (name) => {
    const page = named(name);
    expect(page).toContain('an app without a name');
    expect(page).toContain('did not give a name');
    expect(page).not.toContain('chose this name');
    expect(page).not.toContain('client-1');
  });

  it('a long name is truncated, and never in the middle of a character', () => {
    expect(named('x'.repeat(500))).not.toContain('x'.repeat(81));
    expect(named('🐘'.repeat(81)).isWellFormed()).toBe(true);
  });

  it('RFC 7591 §2 a client of CLIENTS is shown by its name or its id, and not as unverified', () => {
    const portal = { id: 'portal', name: undefined, byOperator: true, identity: {} };
    for (const client of [portal, { ...portal, id: 'x', name: 'portal' }]) {
      const page = show({ client });
      expect(page).toContain('<bdi>portal</bdi>');
      expect(page).toContain('The operator of this server added this app');
      expect(page).not.toContain('unverified');
    }
  });

  it('a scope without a description is shown by its name, any other by its description', () => {
    const page = show({ scopes: [{ name: 'notes:write', description: 'notes:write' }, ...pending.scopes] });
    expect(page).toContain('the permission <code>notes:write</code>');
    expect(page).toContain('<li>Use the tools</li>');
  });

  it('RFC 9068 §5 the sign-in page tells what the server will learn about the person, and has no such list otherwise', () => {
    const page = show({ claims: ['name', 'groups'] });
    expect(page).toContain('will learn</h2>');
    expect(page.match(/<li>Your [^<]+<\/li>/g)).toEqual(['<li>Your name</li>', '<li>Your groups</li>']);
    expect([show(), show({ claims: [] })].some((other) => other.includes('will learn'))).toBe(false);
  });

  it('a scope has its tools in a list to open, as text, and says whether they only read', () => {
    const tools = { titles: ['Echo', '<b>Sum'], more: 3, isReadOnly: true };
    const page = show({ scopes: [{ name: 'notes:read', description: 'Read notes', tools }] });
    expect(page).toContain('<span>Read notes <span class="tag">read only</span></span>');
    expect(page).toContain('<summary>Tools: 5</summary>');
    expect(page).toContain('<li><bdi>&lt;b&gt;Sum</bdi></li><li>and 3 more</li>');
    const writing = { ...tools, more: 0, isReadOnly: false };
    const other = show({ scopes: [{ name: 'notes:write', description: 'Change notes', tools: writing }] });
    expect(other).not.toMatch(/read only|more/);
  });

  it('RFC 6749 §10.13 Approve takes no click for a moment, and Deny always does', () => {
    const [approve = '', deny = ''] = show().match(/<form [^>]*>/g) ?? [];
    expect(approve).toContain('class="late"');
    expect(deny).not.toContain('late');
    expect(show()).toContain('@keyframes late{from{pointer-events:none');
  });

  it('predecessor 2, §2b: everything that a client says of itself is shown as text', () => {
    fc.assert(
      fc.property(fc.string(), (noise) => {
        const page = named(`<b>${noise}"'><script>`);
        expect(page).not.toContain('<b>');
        expect(page).not.toContain('<script');
      }),
    );
  });

  it('the sign-in page needs no script and loads nothing', () => {
    expect(show()).not.toMatch(/<script|<img|<link rel="stylesheet|\son\w+=|src="http/i);
  });
});

describe('a language that is written from right to left', () => {
  const page = show({}, undefined, hebrew);

  it('the page states the direction, and each name of another party keeps its own', () => {
    expect(page).toContain('<html lang="he" dir="rtl">');
    for (const name of ['Cursor', 'Example tools', 'https://mcp.example/mcp', 'app.example']) {
      expect(page).toContain(`<bdi>${name}</bdi>`);
    }
  });

  it('each text of the page is of that language, except for the texts of the operator', () => {
    const texts = [...page.matchAll(/<(h1|h2|dt|button|footer|li)[^>]*>(.*?)<\/\1>/g)].map(([, , text = '']) => text);
    expect(texts.filter((text) => !text.startsWith('עברית'))).toEqual(['Use the tools']);
  });

  it('the stylesheet names no side', () => expect(stylesheet).not.toMatch(/\b(left|right)\b/));
});

describe('RFC 8252 §8.6 where an answer goes', () => {
  it.each([
    ['https://app.example/cb', 'app.example', false],
    ['https://app.example:8443/cb', 'app.example:8443', false],
    ['https://app.example@evil.example/cb', 'evil.example', false],
    ['http://127.0.0.1:5555/cb', '127.0.0.1', true],
    ['http://localhost/cb', 'localhost', true],
    ['http://[::1]:1/cb', '[::1]', true],
    ['cursor://anysphere.cursor-mcp/cb', 'cursor://anysphere.cursor-mcp', true],
    ['com.example.app:/cb', 'com.example.app://', true],
  ])('the redirect URI %s is shown as %s, with a warning: %s', (uri, place, warns) => {
    const found = destinationOf(uri);
    expect(found.place).toBe(place);
    expect(found.warning !== undefined).toBe(warns);
  });
});

describe('the error page', () => {
  it('the error page says what happened, what to do, and the reference, all as text', () => {
    const page = errorPage({
      brand: brandOf({}),
      language: english,
      title: 'No <b>',
      message: 'Why <i>',
      next: 'Do <u>',
      reference: 'ref-1',
    });
    for (const said of ['No &lt;b&gt;', 'Why &lt;i&gt;', 'Do &lt;u&gt;', 'ref-1']) expect(page).toContain(said);
  });
});
