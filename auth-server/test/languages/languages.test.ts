/** Proves that each language has each text with its placeholders, and that the browser's languages decide (RFC 9110 §12.5.4). */
import { html } from '@mcp-oauth/shared/pages/html';
import { describe, expect, it } from 'vitest';
import { english } from '../../src/languages/english.ts';
import { fill, inWords, said } from '../../src/languages/language.ts';
import { discoverLanguages, problemWith } from '../../src/languages/languages.ts';
import { authorizePath, register } from '../support/client.ts';
import { foreignWords } from '../support/foreign-words.ts';
import { startServer } from '../support/running-server.ts';

const languages = await discoverLanguages(new URL('../../src/languages/', import.meta.url));
const others = languages.filter((language) => language !== english);

describe('the languages of the pages', () => {
  it('English, French and German are found in their folder', () => {
    expect(languages.map(({ tag }) => tag)).toEqual(['en', 'fr', 'de']);
  });

  it.each(others)('the language $tag has each text, each with its placeholders', (language) => {
    expect(problemWith(language)).toBeUndefined();
    const same = Object.keys(english.texts).filter(
      (key) => language.texts[key as 'deny'] === english.texts[key as 'deny'],
    );
    expect(same).toEqual([]);
  });

  it('a language is one file that somebody puts into the folder', async () => {
    const found = await discoverLanguages(new URL('dropped-in/', import.meta.url));
    expect(found.map(({ tag, direction }) => [tag, direction])).toEqual([
      ['en', 'ltr'],
      ['he', 'rtl'],
    ]);
  });

  it('an incomplete language is refused at start, with the text that is wrong', async () => {
    await expect(discoverLanguages(new URL('incomplete/', import.meta.url))).rejects.toThrow(
      /half\.ts: the text heading needs the placeholders \{client\} \{resource\}/,
    );
  });

  it.each<[string, object, string]>([
    ['a missing text', { texts: { ...english.texts, deny: '' } }, 'the text deny is missing'],
    ['an unknown text', { texts: { ...english.texts, denny: 'Deny' } }, 'there is no text denny'],
    [
      'a text without its usual form',
      { texts: { ...english.texts, moreTools: { one: '{count}' } } },
      'needs the form other',
    ],
    [
      'an unknown form of a text',
      { texts: { ...english.texts, moreTools: { other: '{count}', lots: '{count}' } } },
      'the form lots, which is no plural category',
    ],
    ['forms of a text without a number', { texts: { ...english.texts, deny: { other: 'Deny' } } }, 'deny is missing'],
    ['no language tag', { tag: 'not a tag' }, 'is not a language tag'],
  ])('a language with %s is not accepted', (_, change, problem) => {
    expect(problemWith({ ...english, ...change })).toContain(problem);
  });

  it('values are escaped in markup, unless they are markup', () => {
    const values = { client: '<b>', resource: html`<bdi>${'<i>'}</bdi>` };
    expect(String(fill(english, 'heading', values))).toBe('Allow &lt;b&gt; to use <bdi>&lt;i&gt;</bdi>?');
    expect(inWords(english, said('notReached', { host: 'a.example' }))).toContain('could not reach a.example');
  });
});

describe('RFC 9110 §12.5.4 Accept-Language', () => {
  it.each([
    ['de-AT,de;q=0.9,en;q=0.5', 'de', 'Hier ist nichts'],
    ['fr', 'fr', 'Rien ici'],
    ['ja,en;q=0.1', 'en', 'Nothing here'],
    ['ja', 'en', 'Nothing here'],
    ['en-GB,de;q=0.8', 'en', 'Nothing here'],
    ['*', 'en', 'Nothing here'],
    ['', 'en', 'Nothing here'],
  ])('a browser with %j gets the page in %s', async (accepted, tag, title) => {
    await using server = await startServer();
    const headers = { accept: 'text/html', 'accept-language': accepted };
    const answer = await server.fetch('/nothing', { headers });
    const page = await answer.text();
    expect(page).toContain(`<html lang="${tag}" dir="ltr">`);
    expect(page).toContain(title);
    expect(answer.headers.get('vary')).toMatch(/Accept-Language/i);
  });

  it('RFC 6749 §5.2 an error for a program stays English', async () => {
    await using server = await startServer();
    const headers = { accept: 'application/json', 'accept-language': 'de' };
    expect(await (await server.fetch('/interaction/none', { headers })).json()).toEqual({
      error: 'invalid_request',
      error_description: english.texts.over,
    });
  });
});

describe('the error pages', () => {
  it.each(others)('each error page in the language $tag has no word of another language', async (language) => {
    await using server = await startServer({ env: { SUPPORT_URL: 'https://help.example' } });
    const client = await register(server);
    const requests: readonly (readonly [path: string, method?: string])[] = [
      ['/nothing'],
      ['/interaction/none'],
      ['/interaction/none/approve', 'POST'],
      ['/callback/acme'],
      ['/callback/acme?state=none&code=alice'],
      ['/callback/nobody?state=none'],
      ['/logout', 'PUT'],
      ['/authorize?client_id=none&response_type=code'],
      [authorizePath(client, { redirect_uri: 'https://evil.example/' })],
      [authorizePath(client, { response_type: 'nothing' })],
      [authorizePath(client, { scope: 'nothing' })],
      [authorizePath({ ...client, id: 'https://client.example/client.json' })],
      [authorizePath({ ...client, id: 'https://%5b/client.json' })],
    ];
    const headers = { accept: 'text/html', 'accept-language': language.tag };
    for (const [path, method = 'GET'] of requests) {
      const page = await (await server.fetch(path, { method, headers })).text();
      expect(page, path).toContain(`<html lang="${language.tag}"`);
      expect(foreignWords(page, language, ['app.example', 'client.example']), path).toEqual([]);
    }
  });
});
