/**
 * Proves which URLs are fetched for an unauthenticated caller at all, before a name is resolved or a connection is
 * made.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientDocumentError } from '../../../src/client-documents/document-error.ts';
import { readDocumentUrl } from '../../../src/client-documents/fetch/document-url.ts';
import { hostPatterns, hostsToTheLetter } from '../../../src/client-documents/fetch/hosts.ts';

const open = { allow: ['*'], deny: [], private: [] };
const reasonFor = (text: string, policy = open): string => {
  try {
    readDocumentUrl(text, policy);
    return 'accepted';
  } catch (error) {
    return error instanceof ClientDocumentError ? error.reason : String(error);
  }
};

describe('draft-ietf-oauth-client-id-metadata-document §3 a client id', () => {
  it.each([
    'https://claude.ai/oauth/claude-code-client-metadata',
    'https://chatgpt.com/oauth/codex/client.json',
    'https://app.client.com/client.json?v=2',
    'https://xn--bcher-kva.ch/c',
    'https://a.b.c.d.client.io/~app/',
  ])('the client id %s is accepted', (url) => {
    expect(reasonFor(url)).toBe('accepted');
  });

  it.each([
    ['http', 'http://app.client.com/c'],
    ['another scheme', 'ftp://app.client.com/c'],
    ['no URL', 'app'],
    ['no path', 'https://app.client.com'],
    ['a bare path', 'https://app.client.com/'],
    ['a bare path with a query', 'https://app.client.com/?a'],
    ['a fragment', 'https://app.client.com/c#x'],
    ['an empty fragment', 'https://app.client.com/c#'],
    ['a user', 'https://user@app.client.com/c'],
    ['a password', 'https://user:secret@app.client.com/c'],
    ['an empty user', 'https://@app.client.com/c'],
    ['a dot segment', 'https://app.client.com/a/../c'],
    ['a single dot', 'https://app.client.com/./c'],
    ['an encoded dot segment', 'https://app.client.com/a/%2e%2E/c'],
    ['backslashes', 'https:\\\\app.client.com\\c'],
    ['a tab', 'https://app.client.com/\tc'],
    ['blanks around', ' https://app.client.com/c '],
    ['capitals in the host', 'https://APP.client.com/c'],
    ['capitals in the scheme', 'HTTPS://app.client.com/c'],
    ['the usual port', 'https://app.client.com:443/c'],
    ['another port', 'https://app.client.com:22/c'],
    ['letters outside ASCII', 'https://bücher.ch/c'],
    ['an address', 'https://1.1.1.1/c'],
    ['an address as a number', 'https://2130706433/c'],
    ['an address in hexadecimal', 'https://0x7f.0.0.1/c'],
    ['an IPv6 address', 'https://[::1]/c'],
    ['localhost', 'https://localhost/c'],
    ['a name below localhost', 'https://app.localhost/c'],
    ['a single label', 'https://redis/c'],
    ['a dot at the end', 'https://app.client.com./c'],
    ['localhost with a dot', 'https://localhost./c'],
    ['.local', 'https://printer.local/c'],
    ['.internal', 'https://metadata.google.internal/c'],
    ['.arpa', 'https://router.home.arpa/c'],
    ['a book', `https://app.client.com/${'x'.repeat(1_100)}`],
  ])('a client id with %s is refused', (_, url) => {
    expect(reasonFor(url)).toBe('url');
  });

  it('an arbitrary text is either accepted or refused, and never throws', () => {
    const text = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.string().map((rest) => `https://${rest}`),
    );
    fc.assert(fc.property(text, (id) => ['accepted', 'url'].includes(reasonFor(id))));
  });
});

describe('draft-ietf-oauth-client-id-metadata-document §8.8 trust by domain', () => {
  const policy = (allow: readonly string[], deny: readonly string[] = []) => ({ allow, deny, private: [] });

  it.each([
    ['https://claude.ai/c', policy(['claude.ai']), 'accepted'],
    ['https://evil.com/c', policy(['claude.ai']), 'denied_by_policy'],
    ['https://notclaude.ai/c', policy(['*.claude.ai']), 'denied_by_policy'],
    ['https://app.claude.ai/c', policy(['*.claude.ai']), 'accepted'],
    ['https://a.b.claude.ai/c', policy(['*.claude.ai']), 'accepted'],
    ['https://claude.ai/c', policy(['*.claude.ai']), 'denied_by_policy'],
    ['https://claude.ai/c', policy([]), 'denied_by_policy'],
    ['https://app.evil.com/c', policy(['*'], ['*.evil.com']), 'denied_by_policy'],
    ['https://app.claude.ai/c', policy(['*.claude.ai'], ['app.claude.ai']), 'denied_by_policy'],
  ])('the client id %s under the policy %j is %s', (url, hosts, reason) => {
    expect(reasonFor(url, { ...hosts, deny: [...hosts.deny] } as never)).toBe(reason);
  });

  it('a host listed as private may have any name, address and port, and no other host may', () => {
    const inner = { allow: ['*'], deny: [], private: ['localhost:8443', 'app.corp', '127.0.0.1:9'] } as never;
    for (const url of [
      'https://localhost:8443/c',
      'https://app.corp/c',
      'https://app.corp:1/c',
      'https://127.0.0.1:9/c',
    ]) {
      expect([url, reasonFor(url, inner)]).toEqual([url, 'accepted']);
    }
    for (const url of [
      'https://localhost:8444/c',
      'https://localhost/c',
      'https://127.0.0.1/c',
      'https://x.app.corp/c',
    ]) {
      expect([url, reasonFor(url, inner)]).toEqual([url, 'url']);
    }
    expect(reasonFor('https://app.corp/c', { allow: ['*'], deny: ['app.corp'], private: ['app.corp'] } as never)).toBe(
      'denied_by_policy',
    );
    expect(reasonFor('http://localhost:8443/c', inner)).toBe('url');
  });
});

describe('the settings of client metadata hosts', () => {
  it.each([
    ['*', ['*']],
    ['none', []],
    ['Claude.ai, *.example.com', ['claude.ai', '*.example.com']],
  ])('the host list %j is accepted', (text, list) => {
    expect(hostPatterns().parse(text)).toEqual(list);
  });

  it.each(['https://claude.ai', 'claude.ai/x', '*claude.ai', 'a.*.com', 'claude.ai:443', '**'])(
    'the host list %s is refused',
    (text) => {
      expect(hostPatterns().safeParse(text).success).toBe(false);
    },
  );

  it('a private host is read exactly, with or without a port', () => {
    expect(hostsToTheLetter().parse('localhost:8443, app.corp [::1]:9')).toEqual([
      'localhost:8443',
      'app.corp',
      '[::1]:9',
    ]);
    for (const text of ['*.corp', 'https://app.corp', 'app.corp/x', 'a b:c', 'user@app.corp', '127.1']) {
      expect([text, hostsToTheLetter().safeParse(text).success]).toEqual([text, false]);
    }
  });
});
