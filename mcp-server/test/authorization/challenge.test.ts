/**
 * Proves the quoting of challenges: a client reads every value back unchanged, and no value can break the header (RFC
 * 9110 §11.2).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { challenge } from '../../src/authorization/challenge.ts';

/** A parser of auth-params, as strict as RFC 9110 §11.2 and §5.6.4 allow. */
function read(header: string): Record<string, string> {
  const found: Record<string, string> = {};
  let rest = header.replace(/^Bearer /, '');
  while (rest) {
    const [all, name, value] = /^([a-z_]+)="((?:[^"\\]|\\["\\])*)"(?:, |$)/.exec(rest) ?? [];
    if (!all || !name || value === undefined) throw new Error(`not readable: ${rest}`);
    found[name] = value.replace(/\\(.)/g, '$1');
    rest = rest.slice(all.length);
  }
  return found;
}

const scopeToken = fc.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]+$/);

describe('RFC 6750 §3 WWW-Authenticate', () => {
  it('a challenge has no error when there was no token, and no scope when none is needed', () => {
    const resourceMetadata = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp';
    expect(challenge({ scheme: 'Bearer', resourceMetadata, scopes: ['mcp:tools'] })).toBe(
      `Bearer resource_metadata="${resourceMetadata}", scope="mcp:tools"`,
    );
    expect(challenge({ scheme: 'Bearer', resourceMetadata, scopes: [] })).toBe(
      `Bearer resource_metadata="${resourceMetadata}"`,
    );
  });

  it('RFC 9110 §5.6.4 a challenge is read back as written, quotes and backslashes included', () => {
    const printable = fc.stringMatching(/^[\x20-\x7e]+$/);
    fc.assert(
      fc.property(fc.webUrl(), fc.array(scopeToken, { minLength: 1 }), printable, (url, scopes, description) => {
        const written = challenge({
          scheme: 'Bearer',
          resourceMetadata: url,
          scopes,
          error: 'invalid_token',
          description,
        });
        expect(read(written)).toEqual({
          resource_metadata: url,
          scope: scopes.join(' '),
          error: 'invalid_token',
          error_description: description,
        });
      }),
    );
  });

  it('a challenge is a valid header whatever the description contains', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (description) => {
        const written = challenge({
          scheme: 'Bearer',
          resourceMetadata: 'https://a.example',
          scopes: ['a'],
          description,
        });
        expect(written).toMatch(/^[\x20-\x7e]*$/);
        expect(() => read(written)).not.toThrow();
      }),
    );
  });
});
