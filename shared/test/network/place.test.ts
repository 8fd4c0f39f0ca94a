/** Proves how a public URL and its internal form are converted into each other, and that other URLs never change. */
import { createPlace, withPublicEndpoints } from '@mcp-oauth/shared/network/place';
import { describe, expect, it } from 'vitest';

describe('a server with a public and an internal URL', () => {
  it.each([
    ['https://id.example.com', 'http://idp:8080', '/token'],
    ['https://id.example.com/', 'http://idp:8080/', '/token'],
    ['https://id.example.com/realms/staff', 'http://idp:8080/realms/staff', '/realms/staff/token'],
    ['https://id.example.com/realms/staff', 'http://idp:8080/realms/staff', '/realms/staff/token?a=b'],
    ['https://id.example.com/realms/staff', 'http://idp:8080/realms/staff', '/certs/of/staff'],
    ['https://ID.example.com:443', 'http://idp:80', '/token'],
  ])('the public URL %s is %s inside', (publicUrl, internalUrl, path) => {
    const place = createPlace(publicUrl, internalUrl);
    const inner = new URL(internalUrl).origin + path;
    const outer = new URL(publicUrl).origin + path;
    expect(place.inside(outer)).toBe(inner);
    expect(place.outside(inner)).toBe(outer);
  });

  it('the internal URL may have another path, whole or as a prefix', () => {
    const front = createPlace('https://id.example.com/realms/staff', 'http://idp/auth/realms/staff');
    expect(front.inside('https://id.example.com/realms/staff/token')).toBe('http://idp/auth/realms/staff/token');
    const whole = createPlace('https://id.example.com/one', 'http://idp/two');
    expect(whole.inside('https://id.example.com/one/token')).toBe('http://idp/two/token');
    expect(whole.inside('https://id.example.com/other/token')).toBe('https://id.example.com/other/token');
    const gateway = createPlace('https://example.com/auth', 'http://auth-server:9000');
    expect(gateway.inside('https://example.com/auth/jwks')).toBe('http://auth-server:9000/jwks');
    expect(gateway.outside('http://auth-server:9000/jwks')).toBe('https://example.com/auth/jwks');
  });

  it.each([
    'https://id.example.com.evil.example/token',
    'https://id.example.com:8443/token',
    'http://id.example.com/token',
    'https://user@id.example.com/token',
    'https://id.example.com/realms/staffing/../../token/',
    'https://id.example.com/realms/other/token',
    'https://id.example.com/realms/staff/../other',
    'no URL',
    '',
  ])('the foreign URL %j stays unchanged', (url) => {
    expect(createPlace('https://id.example.com/realms/staff', 'http://idp/x').inside(url)).toBe(url);
  });

  it('a server without an internal URL has its URLs left exactly as they are written', () => {
    const place = createPlace('https://id.example.com', undefined);
    expect(place.inside('https://ID.example.com:443/token')).toBe('https://ID.example.com:443/token');
    expect(place.outside('https://id.example.com')).toBe('https://id.example.com');
  });

  it('RFC 8414 §2 metadata has the public form of each endpoint, and everything else unchanged', () => {
    const place = createPlace('https://id.example.com', 'http://idp:8080');
    const names = ['token', 'revocation', 'pushed_authorization_request', 'end_session'].map(
      (name) => `${name}_endpoint`,
    );
    const endpoints = (base: string) => Object.fromEntries(names.map((name) => [name, `${base}/${name}`]));
    const said = { issuer: 'http://idp:8080', jwks_uri: 1, other: ['http://idp:8080/'] };
    const shown = withPublicEndpoints({ ...said, ...endpoints('http://idp:8080') }, place);
    expect(shown).toEqual({ ...said, ...endpoints('https://id.example.com') });
  });
});
