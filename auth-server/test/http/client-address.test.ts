/** Proves that a limit counts the real caller, and that no other party can forge the caller's address. */
import type { IncomingMessage } from 'node:http';
import { createClientAddress, trustedProxies } from '@mcp-oauth/shared/http/request/client-address';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json, startServer } from '../support/running-server.ts';

const ask = (trusted: string, remoteAddress: string, forwarded?: string) =>
  createClientAddress(trustedProxies().parse(trusted))({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  } as unknown as IncomingMessage);

describe('the address of the caller', () => {
  it.each([
    ['none', '203.0.113.1', undefined, '203.0.113.1'],
    ['none', '127.0.0.1', '203.0.113.1', '127.0.0.1'],
    ['loopback', '203.0.113.1', '198.51.100.1', '203.0.113.1'],
    ['loopback', '127.0.0.1', '203.0.113.1', '203.0.113.1'],
    ['loopback', '::ffff:127.0.0.1', '203.0.113.1', '203.0.113.1'],
    ['loopback', '127.0.0.1', '1.2.3.4, 203.0.113.1', '203.0.113.1'],
    ['loopback,private', '127.0.0.1', '1.2.3.4, 203.0.113.1, 10.0.0.7', '203.0.113.1'],
    ['loopback', '127.0.0.1', 'nonsense', '127.0.0.1'],
    ['loopback', '127.0.0.1', '203.0.113.1, nonsense', '127.0.0.1'],
    ['loopback', '127.0.0.1', '', '127.0.0.1'],
    ['10.0.0.0/8', '10.1.2.3', '203.0.113.1', '203.0.113.1'],
    ['10.0.0.1', '10.0.0.2', '203.0.113.1', '10.0.0.2'],
    ['loopback', '::1', '2001:db8:0:1:2:3:4:5', '2001:db8:0:1'],
    ['loopback', '::1', '2001:0:0:1::5', '2001:0:0:1'],
    ['none', 'fe80::1%eth0', undefined, 'fe80:0:0:0'],
    ['none', 'fe80::dead:beef%25', undefined, 'fe80:0:0:0'],
    ['none', '::', undefined, '0:0:0:0'],
    ['none', '::ffff:cb00:7101', undefined, '203.0.113.1'],
    ['fe80::/10', 'fe80::1%eth0', '203.0.113.1', '203.0.113.1'],
    ['loopback', '127.0.0.1', 'fe80::1%eth0', 'fe80:0:0:0'],
    ['loopback', '127.0.0.1', 'fe80::1%', '127.0.0.1'],
    ['loopback', '127.0.0.1', '203.0.113.1:50123', '203.0.113.1'],
    ['loopback', '127.0.0.1', '[2001:db8::1]:443', '2001:db8:0:0'],
    ['loopback', '127.0.0.1', '[2001:db8::1]', '2001:db8:0:0'],
    ['loopback', '127.0.0.1', '"[2001:db8::1%eth0]:443"', '2001:db8:0:0'],
    ['loopback', '127.0.0.1', '203.0.113.1, 127.0.0.1:9', '203.0.113.1'],
    ['loopback', '127.0.0.1', '203.0.113.1, ::ffff:7f00:1', '203.0.113.1'],
    ['loopback', '127.0.0.1', '203.0.113.1,', '127.0.0.1'],
    ['loopback', '127.0.0.1', '[]', '127.0.0.1'],
    ['loopback', '127.0.0.1', '[::1', '127.0.0.1'],
    ['loopback', '127.0.0.1', '[203.0.113.1]:x', '127.0.0.1'],
    ['loopback', '127.0.0.1', '203.0.113.1:', '127.0.0.1'],
    ['loopback', '127.0.0.1', 'unknown, _hidden', '127.0.0.1'],
    ['loopback', '127.0.0.1', '%eth0', '127.0.0.1'],
    ['loopback', '127.0.0.1', `${'1'.repeat(9_000)}.1`, '127.0.0.1'],
  ])('the address of the caller, trusting %s, from %s with %j, is %s', (trusted, remote, forwarded, expected) => {
    expect(ask(trusted, remote, forwarded)).toBe(expected);
  });

  it('every X-Forwarded-For value yields an address in one normal form, without an error', () => {
    const written = fc.oneof(
      fc.ipV6(),
      fc.ipV4(),
      fc.string({ unit: fc.constantFrom(...'fe80:.%[]"0123456789abc ') }),
      fc.tuple(fc.ipV6(), fc.string()).map(([address, zone]) => `[${address}%${zone}]:443`),
    );
    fc.assert(
      fc.property(written, (text) => {
        const caller = ask('loopback', '127.0.0.1', text.replaceAll(',', ''));
        expect(caller).toMatch(/^(\d+\.\d+\.\d+\.\d+|[0-9a-f]+(:[0-9a-f]+){3})$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('the address of a closed connection is empty', () => {
    const gone = { socket: {}, headers: {} } as unknown as IncomingMessage;
    expect(createClientAddress(trustedProxies().parse('loopback'))(gone)).toBe('');
  });

  it('RFC 4007 §11 a link-local address with a zone causes no server error, from a proxy or not', async () => {
    await using server = await startServer({ env: { TRUSTED_PROXIES: 'loopback,fe80::/10' } });
    for (const address of [
      'fe80::1%eth0',
      'fe80::1%25eth0',
      '[fe80::1%eth0]:1',
      '"',
      '[',
      ']:1',
      '::%',
      'fe80::%%%',
      ',',
    ]) {
      const headers = { 'x-forwarded-for': `203.0.113.9, ${address}` };
      const statuses = [
        (await server.fetch('/register', json({ redirect_uris: ['https://app.example/cb'] }, headers))).status,
        (await server.fetch('/token', { method: 'POST', headers })).status,
        (await server.fetch('/authorize', { headers })).status,
        (await server.fetch('/jwks/', { headers })).status,
      ];
      expect(statuses, address).toEqual([201, 400, 400, 200]);
    }
  });

  it.each(['everybody', 'fe80::1%eth0', '10.0.0.1:80', '[::1]', '10.0.0.0/33', '::/129', '10.0.0.0/x', '300.1.1.1'])(
    'the proxy %s is refused',
    (text) => {
      expect(trustedProxies().safeParse(text).success).toBe(false);
    },
  );

  it('a forwarded address has its own registration limit behind a trusted proxy only', async () => {
    const register = async (env: Record<string, string>, from: readonly string[]) => {
      await using server = await startServer({ env: { REGISTRATION_LIMIT: '1', ...env } });
      const statuses: number[] = [];
      for (const address of from) {
        const headers = { 'x-forwarded-for': address };
        const { status } = await server.fetch(
          '/register',
          json({ redirect_uris: ['https://app.example/cb'] }, headers),
        );
        statuses.push(status);
      }
      return statuses;
    };
    const callers = ['203.0.113.1', '203.0.113.2', '9.9.9.9, 203.0.113.1'];
    expect(await register({ TRUSTED_PROXIES: 'loopback' }, callers)).toEqual([201, 201, 429]);
    expect(await register({}, callers)).toEqual([201, 429, 429]);
  });

  it('an unconfigured proxy is warned about once, because all its callers share one limit', async () => {
    const told = async (env: Record<string, string>, headers: Record<string, string>) => {
      await using server = await startServer({ env });
      for (let request = 0; request < 3; request += 1) await server.fetch('/jwks/', { headers });
      return server.log.filter(({ msg }) => String(msg).startsWith('TRUSTED_PROXIES')).length;
    };
    const forwarded = { 'x-forwarded-for': '203.0.113.1' };
    expect(await told({}, forwarded)).toBe(1);
    expect(await told({ TRUSTED_PROXIES: 'loopback' }, forwarded)).toBe(0);
    expect(await told({}, {})).toBe(0);
  });
});
