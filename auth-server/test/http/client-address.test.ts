/** Owns the proof that a limit counts the caller, and that nobody else can say who that is. */
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createClientAddress, trustedProxies } from '../../src/http/client-address.ts';
import { json, startServer } from '../running-server.ts';

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
  ])('trusting %s, from %s with %j, is %s', (trusted, remote, forwarded, expected) => {
    expect(ask(trusted, remote, forwarded)).toBe(expected);
  });

  it.each(['everybody', '10.0.0.0/33', '::/129', '10.0.0.0/x', '300.1.1.1'])('%s is no proxy', (text) => {
    expect(trustedProxies().safeParse(text).success).toBe(false);
  });

  it('has its own share of registrations behind a trusted proxy, and none by saying so elsewhere', async () => {
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

  it('is asked about once where a proxy is not named, as all behind it then share one limit', async () => {
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
