/** Proves that each page is wholly in its language, whatever it shows. */
import { SCOPES } from '@mcp-oauth/shared/contract';
import { describe, expect, it } from 'vitest';
import { brandOf } from '../../src/branding/brand.ts';
import { english } from '../../src/languages/english.ts';
import { french } from '../../src/languages/french.ts';
import { german } from '../../src/languages/german.ts';
import { type Language, momentIn } from '../../src/languages/language.ts';
import { connectionsSection } from '../../src/views/account/connections.ts';
import { grantsSection, type ShownGrant } from '../../src/views/account/grants.ts';
import { signOutSection } from '../../src/views/account/sign-out.ts';
import { createPages } from '../../src/views/pages.ts';
import type { SignInView } from '../../src/views/sign-in.ts';
import { hebrew } from '../languages/dropped-in/hebrew.ts';
import { foreignWords } from '../support/foreign-words.ts';

const pages = createPages(
  brandOf({ brandName: 'Acme', supportUrl: 'https://a.example', privacyUrl: 'https://b.example' }),
);
const identity = { issuer: 'https://id.example', subject: '1', email: 'alice@example.com' };
const account = { accountId: 'a', connector: 'entra', identity };
const nameless = { ...account, connector: 'gone', identity: { issuer: 'https://id.example', subject: '1' } };

const view = (language: Language, pending: Partial<SignInView['pending']> = {}): Omit<SignInView, 'brand'> => ({
  language,
  pending: {
    uid: 'uid',
    client: { id: 'client', name: 'Cursor', host: 'cursor.example', copiedAt: 1_000_000_000, identity: {} },
    redirectUri: 'http://127.0.0.1/callback',
    resource: { identifier: 'https://mcp.example/mcp', name: 'Notes' },
    scopes: [
      ...Object.entries(SCOPES).map(([name, description], index) => ({
        name,
        description,
        isFixed: index === 0,
        tools: { titles: ['Echo'], more: 2 - index, isReadOnly: true },
      })),
      { name: 'notes:write', description: 'notes:write' },
    ],
    claims: ['name', 'username', 'email', 'groups', 'roles', 'org'],
    accountId: undefined,
    ...pending,
  },
  path: '/interaction/uid',
  account: undefined,
  connectors: [{ id: 'entra', title: 'Microsoft' }],
  token: 'token',
});
/** Every scope with words of its own, one without, and one that says nothing. */
const UPSTREAM = [
  'read:user user:email user read:org repo public_repo gist openid offline_access admin:hook Mail.Read Mail.Send',
  'Calendars.Read Calendars.ReadWrite Files.Read Files.ReadWrite https://graph.microsoft.com/Contacts.Read',
].flatMap((names) => names.split(' '));
const upstream = { name: 'upstream:github', connector: 'github', provider: 'GitHub', scopes: UPSTREAM };
const connection = {
  connector: 'github',
  provider: 'GitHub',
  connectedAt: 1_000_000_000,
  scopes: UPSTREAM,
  clients: [],
};

const client = (change: object) => ({ client: { id: 'client', name: undefined, identity: {}, ...change } });

const link = (language: Language) => ({
  language,
  client: { id: 'client', name: 'Cursor', host: 'cursor.example' },
  provider: 'GitHub',
  account,
  connected: undefined,
  scopes: UPSTREAM,
  path: '/connect/handle',
  accountPage: '/account',
  token: 'token',
});

const grant: ShownGrant = {
  id: 'grant',
  client: { id: 'client', name: 'Cursor', host: 'cursor.example' },
  servers: ['Notes'],
  scopes: [
    ...Object.entries(SCOPES).map(([name, description]) => ({ name, description })),
    { name: 'notes:write', description: 'notes:write' },
    { name: upstream.name, description: upstream.name, upstream },
  ],
  organisation: 'Acme',
  via: 'browser',
  createdAt: 1_000_000_000,
  lastUsedAt: 1_000_000_000,
  expiresAt: 1_000_000_000,
};

/** Every page, with each of its parts on one of them. */
const everyPage = (language: Language): Readonly<Record<string, string>> => {
  const error = { language, title: language.texts.cantProcessTitle, message: language.texts.cantProcess };
  const out = { language, account: '/account' };
  const toPage = { language, path: '/sign-in', connectors: [{ id: 'entra', title: 'Microsoft' }], fields: {} };
  const shown = { language, account, provider: 'Microsoft' };
  const none = { language, grants: [], endOne: '/one', endAll: '/all', token: 'token' };
  const grants = { ...none, grants: [grant, { ...grant, client: undefined, via: 'device' as const }] };
  const signOut = signOutSection({ language, here: '/logout', everywhere: '/everywhere', token: 'token' });
  return {
    'sign-in for a program': pages.signIn(view(language)),
    'sign-in of a published app for a website': pages.signIn(
      view(language, { redirectUri: 'https://app.example/callback' }),
    ),
    'sign-in of an app without a name': pages.signIn(view(language, client({ name: '' }))),
    'sign-in of an app with a scheme': pages.signIn(
      view(language, { ...client({}), redirectUri: 'com.example.app:/x' }),
    ),
    'sign-in of a known app': pages.signIn(view(language, client({ id: 'Cursor', byOperator: true }))),
    'sign-in with a session': pages.signIn({ ...view(language), account }),
    'sign-in with the session of a person without a name': pages.signIn({ ...view(language), account: nameless }),
    refusal: pages.refusal({ language, identity, provider: 'Microsoft', again: '/a', finish: '/f', reference: '0000' }),
    'refusal of a person without a name': pages.refusal({
      language,
      identity: nameless.identity,
      provider: 'Microsoft',
      again: '/a',
      finish: '/f',
      reference: '0000',
    }),
    error: pages.error({ ...error, reference: '0000' }),
    'error with a detail of the engine': pages.error({ ...error, detail: 'unsupported response_type requested' }),
    'error with the way back': pages.error({
      ...error,
      answer: { redirectUri: 'https://app.example/callback', target: 'https://app.example/callback?error=x' },
    }),
    finished: pages.finished({ language, target: 'com.example.app:/x?code=1', isGranted: true }),
    'finished without access': pages.finished({ language, target: 'com.example.app:/x?error=1', isGranted: false }),
    organisation: pages.organisation({
      language,
      organisations: ['Acme'],
      resource: 'Notes',
      path: '/o',
      token: 'token',
    }),
    'sign-out': pages.signOut({ ...out, session: { account, path: '/logout', token: 'token' } }),
    'sign-out of a person without a name': pages.signOut({
      ...out,
      session: { account: undefined, path: '/logout', token: 'token' },
    }),
    'signed out': pages.signOut({
      ...out,
      isDone: true,
      upstream: { target: 'https://id.example', title: 'Microsoft' },
    }),
    'sign-out of nobody': pages.signOut(out),
    'sign-out with the end of every access': pages.signOut({ ...out, isDone: true, hasEndedAccess: true }),
    'sign-in to a page': pages.pageSignIn({ ...toPage, isAgain: false }),
    'sign-in to a page once more': pages.pageSignIn({ ...toPage, isAgain: true }),
    'refusal without an app': pages.refusal({
      language,
      identity,
      provider: 'Microsoft',
      again: '/a',
      reference: '0000',
    }),
    'account with apps': pages.account({ ...shown, sections: [grantsSection({ ...grants, more: '/m' }), signOut] }),
    'sign-in with an account at an upstream': pages.signIn(
      view(language, { scopes: [{ name: upstream.name, description: upstream.name, upstream }] }),
    ),
    'link to connect an account': pages.link({ ...link(language), connected: { name: 'octocat' } }),
    'link of an app that is gone, for tools without scopes': pages.link({
      ...link(language),
      client: undefined,
      scopes: [],
    }),
    'link of somebody else': pages.linkOfOther({ language, account, again: '/a', reference: '0000' }),
    'connected account': pages.connected({
      ...out,
      provider: 'GitHub',
      connection: { account: { name: 'octocat' }, scopes: UPSTREAM },
      isPart: true,
      accountPage: '/account',
    }),
    'connected account without a name': pages.connected({
      ...out,
      provider: 'GitHub',
      connection: { account: {}, scopes: [] },
      isPart: false,
      accountPage: '/account',
    }),
    'nothing connected': pages.connected({
      ...out,
      provider: 'GitHub',
      connection: undefined,
      isPart: false,
      accountPage: '/account',
    }),
    'account with connected accounts': pages.account({
      ...shown,
      sections: [
        connectionsSection({
          language,
          connections: [
            {
              ...connection,
              account: { name: 'octocat' },
              clients: [{ id: 'client', name: 'Cursor' }, undefined],
              hasEnded: false,
            },
            { ...connection, account: {}, scopes: [], hasEnded: true },
          ],
          disconnect: '/d',
          token: 'token',
        }),
        connectionsSection({ language, connections: [], disconnect: '/d', token: 'token' }),
      ],
    }),
    'account without apps': pages.account({ ...shown, provider: undefined, sections: [grantsSection(none)] }),
  };
};

const NAMES = [
  'Acme',
  'Cursor',
  'cursor.example',
  'Notes',
  'Echo',
  'Microsoft',
  'GitHub',
  'octocat',
  'admin:hook',
  'alice@example.com',
  'https://mcp.example/mcp',
  'notes:write',
  'app.example',
  'com.example.app://',
];
const DATES = { en: 'September 9, 2001', de: '9. September 2001', fr: '9 septembre 2001' };

describe.each([english, german, french])('the pages in the language $tag', (language) => {
  it.each(Object.entries(everyPage(language)))('the page %s has no word of another language', (_, page) => {
    expect(
      foreignWords(page, language, [...NAMES, DATES[language.tag as 'de'], momentIn(language, grant.createdAt)]),
    ).toEqual([]);
  });

  it('the date of a copy is written as in the language', () => {
    expect(pages.signIn(view(language))).toContain(DATES[language.tag as 'de']);
  });

  it('a text with a number follows the plural rules of the language (CLDR)', () => {
    const page = pages.signIn(view(language));
    const more = {
      en: ['and 2 more', 'and 1 more'],
      de: ['und 2 weitere', 'und 1 weiteres'],
      fr: ['et 2 autres', 'et 1 autre'],
    };
    expect([...page.matchAll(/<li>(\w+ \d \w+)<\/li>/g)].map(([, text]) => text)).toEqual(more[language.tag as 'de']);
  });
});

it('UAX #9: on a page from right to left each name of another party keeps its own direction', () => {
  const shown = Object.entries(everyPage(hebrew)).map(([page, markup]) => {
    const [, body = ''] = markup.split('<body>');
    const text = body.replace(/<(bdi|code|option)\b[^>]*>[^<]*<\/\1>/g, '').replace(/<[^>]*>/g, ' ');
    return [page, NAMES.filter((name) => text.includes(name))];
  });
  expect(shown.filter(([, names]) => names?.length)).toEqual([]);
});

it('WCAG 2.2 §3.1.2 the engine’s own words on a page of another language are marked as English', () => {
  const page = everyPage(german)['error with a detail of the engine'];
  expect(page).toContain('<code lang="en" dir="ltr">unsupported response_type requested</code>');
});
