/** Proves that a tool cannot send the token of a person to another host. */
import { describe, expect, it } from 'vitest';
import { redirectedTo, UrlRefused, urlAt } from '../../src/upstream/hosts.ts';
import type { ConfiguredUpstream } from '../../src/upstream/settings.ts';

const github: ConfiguredUpstream = {
  id: 'github',
  base: 'https://api.github.com',
  origins: new Set(['https://api.github.com', 'https://uploads.github.com']),
  target: { audience: 'github' },
  scopes: undefined,
};

const below: ConfiguredUpstream = {
  ...github,
  base: 'https://ghe.example.com/api/v3',
  origins: new Set(['https://ghe.example.com']),
};

describe('URLs of requests to an upstream', () => {
  it.each([
    ['/user', 'https://api.github.com/user'],
    ['/user?per_page=2#part', 'https://api.github.com/user?per_page=2'],
    ['https://api.github.com/repos/a/b', 'https://api.github.com/repos/a/b'],
    ['https://API.GitHub.com:443/user', 'https://api.github.com/user'],
    ['https://uploads.github.com/x', 'https://uploads.github.com/x'],
    ['/../../user', 'https://api.github.com/user'],
    ['/@evil.example/', 'https://api.github.com/@evil.example/'],
    // The request goes to the name that the parser has found, which is the one that is compared.
    ['https://ａｐｉ.github.com/user', 'https://api.github.com/user'],
  ])('%s leads to %s', (asked, expected) => {
    expect(urlAt(github, asked).href).toBe(expected);
  });

  it('a path is one of the API, also if the API is below a path', () => {
    expect(urlAt(below, '/user').href).toBe('https://ghe.example.com/api/v3/user');
  });

  it.each([
    ['another host', 'https://evil.example/user'],
    ['a host that ends in the name', 'https://evil-api.github.com/user'],
    ['a host that begins with the name', 'https://api.github.com.evil.example/user'],
    ['the name with a dot at its end', 'https://api.github.com./user'],
    ['another port', 'https://api.github.com:8443/user'],
    ['http instead of https', 'http://api.github.com/user'],
    ['http at the port of https', 'http://api.github.com:443/user'],
    ['a user', 'https://api.github.com@evil.example/user'],
    ['a user at the right host', 'https://evil.example@api.github.com/user'],
    ['a password', 'https://:secret@api.github.com/user'],
    ['two slashes', '//evil.example/user'],
    ['two slashes at the right host', '//api.github.com/user'],
    ['backslashes', '\\\\evil.example\\user'],
    ['a slash and a backslash', '/\\evil.example/user'],
    ['a backslash before the at sign', 'https://evil.example\\@api.github.com/user'],
    ['a tab in the scheme', 'ht\ttps://evil.example/user'],
    ['a line break', '/user\r\nHost: evil.example'],
    ['a space before the URL', ' //evil.example'],
    ['a letter that looks like another', 'https://api.gіthub.com/user'],
    ['the punycode of that letter', 'https://api.xn--gthub-n4a.com/user'],
    ['a dot of another script', 'https://api.github.com。evil.example/user'],
    ['an encoded slash in the host', 'https://api.github.com%2f.evil.example/user'],
    ['a data URL', 'data:text/plain,x'],
    ['a file', 'file:///etc/passwd'],
    ['a blob of the right origin', 'blob:https://evil.example/1'],
    ['a relative path', 'user'],
    ['nothing', ''],
  ])('%s is refused', (_, asked) => {
    expect(() => urlAt(github, asked)).toThrow(UrlRefused);
  });

  it('a refusal names the host and repeats nothing of the rest of the URL', () => {
    expect(() => urlAt(github, 'https://evil.example/path?code=canary')).toThrow(
      'the URL for github leads to https://evil.example, which does not get its tokens; those that do: https://api.github.com, https://uploads.github.com',
    );
  });
});

describe('redirects of an upstream (RFC 9110 §15.4)', () => {
  const from = new URL('https://api.github.com/repos/old/name');

  it.each([
    ['/repositories/1', 'https://api.github.com/repositories/1'],
    ['https://uploads.github.com/1', 'https://uploads.github.com/1'],
  ])('RFC 9110 §15.4 a redirect to %s is followed', (location, expected) => {
    expect(redirectedTo(github, from, location)?.href).toBe(expected);
  });

  it.each([
    ['https://evil.example/'],
    ['//evil.example/'],
    ['\\\\evil.example/'],
    ['http://api.github.com/'],
    ['https://api.github.com:444/'],
    ['https://api.github.com./'],
    ['https://user@api.github.com/'],
    ['https://evil.example\\@api.github.com/'],
    ['data:text/plain,x'],
    ['https://['],
    [null],
  ])('a redirect to %s is not followed', (location) => {
    expect(redirectedTo(github, from, location)).toBeUndefined();
  });
});
