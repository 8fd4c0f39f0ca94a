/** Proves that only loopback addresses count as this machine (RFC 8252 §7.3, §8.3), whatever a client sends. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLoopbackUri, listenerOf, placeOf } from '../../src/clients/loopback.ts';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const REGISTERED = 'http://127.0.0.1/cb';

/** Parts of addresses, combined in any order. */
const pieces = fc.array(
  fc.constantFrom(
    ...[
      'http://',
      'https://',
      'HTTP://',
      'localhost',
      '127.0.0.1',
      '[::1]',
      '[',
      ']',
      '.',
      '@',
      ':',
      ':80',
      ':99999',
      ':65536',
    ],
    ...[
      '/',
      '//',
      '/cb',
      '\\',
      '?',
      '#',
      '%2f',
      '%00',
      ' ',
      '\t',
      '\n',
      'evil.example',
      '127.1',
      '0x7f.1',
      '\u3002',
      '\u200b',
      'é',
    ],
  ),
  { maxLength: 8 },
);
const uris = fc.oneof(
  pieces.map((parts) => parts.join('')),
  pieces.map((parts) => `http://localhost${parts.join('')}/cb`),
  fc.string(),
);

describe('a loopback address', () => {
  it('a loopback URI equal to a registered one leads to this machine and that path, without user information', () => {
    fc.assert(
      fc.property(uris, (uri) => {
        if (!isLoopbackUri(uri) || placeOf(uri) !== placeOf(REGISTERED)) return;
        const { protocol, hostname, pathname, search, hash, username } = new URL(uri);
        expect([protocol, LOOPBACK.has(hostname), pathname, search, hash, username]).toEqual([
          'http:',
          true,
          '/cb',
          '',
          '',
          '',
        ]);
      }),
      { numRuns: 20_000 },
    );
  });

  it('two loopback URIs name one listener exactly when their ports are equal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 1, max: 65_535 }), (one, other) => {
        const [left, right] = [`http://localhost:${one}/cb`, `http://[::1]:${other}/cb`];
        expect(listenerOf(left) === listenerOf(right)).toBe(one === other);
        expect(placeOf(left)).toBe(placeOf(right));
      }),
    );
  });

  it.each([
    'http://localhost:65536/cb',
    'http://localhost:99999/cb',
    'http://localhost:123456/cb',
    'http://localhost:-1/cb',
  ])('a URI with an invalid port is not a loopback URI: %s', (uri) => expect(isLoopbackUri(uri)).toBe(false));
});
