/** Proves that text of an upstream is logged in one line, without control characters (CWE-117) and without secrets. */
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../src/federation/connector.ts';
import { answerTo, logged, sanitized } from '../../src/federation/failure.ts';

describe('upstream text in the log', () => {
  it.each([
    ['two lines\r\nof\ttext', 'two lines  of text'],
    ['\u001b[31mred\u009b0m', '\\u001b[31mred\\u009b0m'],
    ['a\u2028b\u2029c\u202ed\ufeff', 'a\\u2028b\\u2029c\\u202ed\\ufeff'],
    ['half \ud83d of it', 'half \\ud83d of it'],
    ['tag \u{e0041}', 'tag \\ue0041'],
    ['🐘 ü', '🐘 ü'],
  ])('control characters of %j are logged as %j', (text, line) => {
    expect(sanitized(text)).toBe(line);
  });

  it.each([
    ['Basic Y2xpZW50OnNlY3JldA==', 'Basic [redacted]'],
    ['Authorization: bearer gho_16C7e42F292c6912E7', 'Authorization: bearer [redacted]'],
    ['the token eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0. is', 'the token [redacted] is'],
    ['{"access_token":"abc","refresh_token": "def"}', '{"access_token":"[redacted]","refresh_token": "[redacted]"}'],
    [
      'grant_type=authorization_code&code=abc&code_verifier=xyz',
      'grant_type=authorization_code&code=[redacted]&code_verifier=[redacted]',
    ],
    ['client_secret=s%20s, state=x', 'client_secret=[redacted], state=[redacted]'],
    ['error code: AADSTS70008', 'error code: AADSTS70008'],
    ['The basic profile is missing', 'The basic profile is missing'],
  ])('the secrets of %s are logged as %s', (text, line) => {
    expect(sanitized(text)).toBe(line);
  });

  it('known secrets are removed in every encoding, unless they are too short to be secrets', () => {
    const secret = 'a secret+/=&"ü';
    const form = new URLSearchParams({ s: secret }).toString();
    expect(sanitized(`${secret} ${encodeURIComponent(secret)} ${form}`, [secret])).toBe(
      '[redacted] [redacted] s=[redacted]',
    );
    expect(sanitized('an x stays', ['x', ''])).toBe('an x stays');
  });

  it('a long upstream text is truncated', () => {
    expect(sanitized('x'.repeat(100_000))).toBe(`${'x'.repeat(1_000)}…`);
    const facts = { found: Array.from({ length: 100 }, () => 'x'), expected: { deep: 'x'.repeat(5_000) } };
    const line = logged(new UpstreamError('invalid_answer', 'm', facts), []);
    expect(line.found).toHaveLength(10);
    expect(String(line.expected).length).toBeLessThan(1_010);
  });
});

describe('RFC 6749 §4.1.2.1 the error_description for the client', () => {
  it.each(['Acme', 'Ünïted "IdP"\\', '身份', '', 'x'.repeat(500)])(
    'the error_description has only allowed characters, for %j',
    (title) => {
      const { description } = answerTo(new UpstreamError('denied', 'm'), title, '1-2-3');
      expect(description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]{20,300}$/);
      expect(description).toContain('(reference 1-2-3)');
    },
  );
});
