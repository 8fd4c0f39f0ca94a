/** Proves which URIs are equivalent and which are not (RFC 3986 §6.2). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalise, normalUri } from '../../src/network/normal-uri.ts';

describe('equivalent URIs', () => {
  it.each([
    ['RFC 3986 §6.2.2.1 in the case of scheme and host', 'HTTPS://Docs.Example.com/a', 'https://docs.example.com/a'],
    ['RFC 3986 §6.2.2.1 in the case of an escape', 'file:///caf%c3%a9', 'file:///caf%C3%A9'],
    ['RFC 3986 §6.2.2.2 in escapes that need not be', 'https://x.example/%7Eada', 'https://x.example/~ada'],
    ['RFC 3986 §6.2.2.3 in dot segments', 'https://x.example/a/./b/../c', 'https://x.example/a/c'],
    ['RFC 3986 §6.2.2.3 in dot segments at the end', 'https://x.example/a/b/..', 'https://x.example/a/'],
    ['RFC 3986 §6.2.3 in an empty path', 'https://docs.example.com', 'https://docs.example.com/'],
    ['RFC 3986 §6.2.3 in an empty path before a query', 'https://x.example?a', 'https://x.example/?a'],
    ['RFC 3986 §6.2.3 in an empty path of any scheme', 'about://server', 'about://server/'],
    ['RFC 3986 §6.2.3 in a default port', 'https://x.example:443/a', 'https://x.example/a'],
    ['RFC 3986 §6.2.3 in an empty port', 'https://x.example:/a', 'https://x.example/a'],
    ['RFC 3987 §3.1 in letters that a URI cannot have', 'file:///café', 'file:///caf%C3%A9'],
    ['RFC 3987 §3.1 in a space', 'file:///my docs', 'file:///my%20docs'],
    ['RFC 5891 §4 in a name of DNS', 'https://münchen.example/', 'https://xn--mnchen-3ya.example/'],
    ['RFC 8089 §2 in a host that is this one', 'file://localhost/a', 'file:///a'],
    ['RFC 8089 §2 in no host', 'file:/a', 'file:///a'],
    ['RFC 3986 §6.2.2.1 in the host of any scheme', 'Notes://Ada/7', 'notes://ada/7'],
  ])('two URIs are the same if they differ only %s', (_, one, other) => {
    expect(normalUri(one)).toBe(other.startsWith('notes') ? 'notes://ada/7' : normalUri(other));
    expect(normalUri(one)).toBe(normalUri(other));
  });
});

describe('different URIs', () => {
  it.each([
    ['a slash at the end of a path', 'https://x.example/a', 'https://x.example/a/'],
    ['the case of a path', 'https://x.example/A', 'https://x.example/a'],
    ['the case of a query', 'https://x.example/?A', 'https://x.example/?a'],
    ['the case of a user', 'https://Ada@x.example/', 'https://ada@x.example/'],
    ['an escaped slash', 'https://x.example/a%2Fb', 'https://x.example/a/b'],
    ['an escaped question mark', 'https://x.example/a%3Fb', 'https://x.example/a?b'],
    ['another port', 'https://x.example:8443/', 'https://x.example/'],
    ['another scheme', 'http://x.example/', 'https://x.example/'],
    ['a fragment', 'https://x.example/#a', 'https://x.example/'],
    ['what is behind a scheme without authority', 'note:A', 'note:a'],
    ['an escaped percent sign', 'note:%2541', 'note:%41'],
  ])('two URIs are different if they differ in %s', (_, one, other) =>
    expect(normalUri(one)).not.toBe(normalUri(other)),
  );
});

it('RFC 3986 §6.2.2 a normal form is its own normal form, and its length does not depend on case', () => {
  const part = fc.string({ unit: 'binary', maxLength: 12 });
  const uri = fc.oneof(
    part,
    fc.tuple(fc.constantFrom('https', 'Notes', 'file', 'x'), part, part).map(([s, a, b]) => `${s}://${a}/${b}`),
    fc.tuple(fc.constantFrom('note', 'URN'), part).map(([s, a]) => `${s}:${a}`),
    fc
      .array(fc.constantFrom('%', '2', 'f', 'F', '/', '.', '..', 'é', '@', ':', '?'))
      .map((all) => `x://${all.join('')}`),
  );
  const plain = fc
    .array(fc.constantFrom('a', 'b.c', '/', '/.', '..', 'B', '-', '/a/', '~', ':80'))
    .map((all) => `https://a${all.join('')}`);
  fc.assert(
    fc.property(fc.oneof(uri, plain), (given) => {
      const { text, cased } = normalise(given);
      expect(cased).toHaveLength(text.length);
      expect(normalUri(text)).toBe(text);
      // A URI that the fast check takes for normal is also unchanged by the full normalization.
      if (/^[a-z]+:/.test(given)) expect(normalUri(given.replace(/^[a-z]+/, (s) => s.toUpperCase()))).toBe(text);
    }),
    { numRuns: 5_000 },
  );
});

it('normalizing takes time in proportion to the length, whatever the content', () => {
  for (const long of [`https://${'a:'.repeat(200_000)}`, `x://${'../'.repeat(200_000)}`, `x:${'%'.repeat(400_000)}`]) {
    expect(normalUri(long).length).toBeLessThanOrEqual(long.length + 1);
  }
});
