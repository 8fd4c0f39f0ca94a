/** Proves the limits of the device authorization grant: guessing, open codes, and polls (RFC 8628 §3.5, §5.1, §5.2). */
import { describe, expect, it } from 'vitest';
import { askForCodes, codesFor, ON, poll, registerDevice, startWithDevices, Visitor } from '../../support/device.ts';
import { form, type RunningServer, read } from '../../support/running-server.ts';

const SMALL = { env: { ...ON, DEVICE_AUTHORIZATION_LIMIT: '4', TRUSTED_PROXIES: 'loopback' } };

const from = (address: number) => ({ 'x-forwarded-for': `203.0.113.${address}` });

const enterFrom = (server: RunningServer, address: number) =>
  server.fetch('/device', { ...form({ user_code: 'BBBB-BBBB' }), headers: { accept: 'text/html', ...from(address) } });

describe('RFC 8628 §5.1 guessing a user code', () => {
  it('an address that enters too many codes gets 429 with Retry-After, and another address goes on', async () => {
    await using server = await startWithDevices(SMALL);
    const statuses: number[] = [];
    for (let entry = 0; entry < 5; entry += 1) statuses.push((await enterFrom(server, 1)).status);
    expect(statuses).toEqual([400, 400, 400, 400, 429]);
    const refused = await enterFrom(server, 1);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(500);
    expect((await enterFrom(server, 2)).status).toBe(400);
  });

  it('all addresses together are limited as well, and a right code is refused then', async () => {
    await using server = await startWithDevices(SMALL);
    for (let entry = 0; entry < 40; entry += 1) {
      expect((await enterFrom(server, Math.floor(entry / 4))).status).toBe(400);
    }
    expect((await enterFrom(server, 200)).status).toBe(429);
    expect(server.log).toContainEqual(expect.objectContaining({ reason: 'limit of all addresses', status: 429 }));
  });

  it.each(['/device/', '/DEVICE', '/Device/'])('%s counts like /device', async (path) => {
    await using server = await startWithDevices(SMALL);
    for (let visit = 0; visit < 4; visit += 1) await server.fetch(path);
    expect((await server.fetch('/device')).status).toBe(429);
  });
});

describe('RFC 8628 §5.2 open device codes', () => {
  it('an address gets so many codes in ten minutes, then 429 as JSON', async () => {
    await using server = await startWithDevices(SMALL);
    const client = await registerDevice(server);
    for (let code = 0; code < 4; code += 1) expect((await askForCodes(server, client)).status).toBe(200);
    const refused = await askForCodes(server, client);
    expect([refused.status, (await read(refused)).error]).toEqual([429, 'too_many_requests']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(500);
  });

  it('one client gets ten times as many from all addresses, and another client goes on', async () => {
    await using server = await startWithDevices(SMALL);
    const [client, other] = [await registerDevice(server), await registerDevice(server)];
    const ask = (id: string, address: number) =>
      server.fetch('/device_authorization', { ...form({ client_id: id }), headers: from(address) });
    for (let code = 0; code < 40; code += 1) {
      expect((await ask(client.id, Math.floor(code / 4))).status).toBe(200);
    }
    const refused = await ask(client.id, 200);
    expect([refused.status, (await read(refused)).error]).toEqual([429, 'too_many_requests']);
    expect((await ask(other.id, 200)).status).toBe(200);
  });

  it('RFC 9700 §4.16 parameters of more than 8 KiB together are refused, because they are stored', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const long = 'x'.repeat(4_000);
    const refused = await askForCodes(server, client, { nonce: long, login_hint: long, acr_values: long });
    expect([refused.status, (await read(refused)).error]).toEqual([400, 'invalid_request']);
  });
});

describe('RFC 8628 §3.5 polls', () => {
  it('a second poll within four seconds is slow_down, and a later one is authorization_pending again', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const [codes, others] = [await codesFor(server, client), await codesFor(server, client)];
    const errorOf = async (asked = codes) => (await poll(server, client, asked)).json.error;
    expect([await errorOf(), await errorOf(), await errorOf()]).toEqual([
      'authorization_pending',
      'slow_down',
      'slow_down',
    ]);
    expect(await errorOf(others)).toBe('authorization_pending');
  });

  it('a device that was too fast gets its tokens as soon as its person has approved', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const codes = await codesFor(server, client);
    for (let n = 0; n < 3; n += 1) await poll(server, client, codes);
    await new Visitor(server).approve(codes.user_code);
    expect((await poll(server, client, codes)).status).toBe(200);
  });

  it('a device that waits uses up no FAILURE_LIMIT, one that is too fast does', async () => {
    await using server = await startWithDevices({ env: { FAILURE_LIMIT: '3' } });
    const client = await registerDevice(server);
    for (let device = 0; device < 6; device += 1) {
      const { json } = await poll(server, client, await codesFor(server, client));
      expect(json.error).toBe('authorization_pending');
    }
    const codes = await codesFor(server, client);
    const errors = [];
    for (let n = 0; n < 6; n += 1) errors.push((await poll(server, client, codes)).json.error);
    expect(errors).toEqual([
      'authorization_pending',
      'slow_down',
      'slow_down',
      'slow_down',
      'slow_down',
      'too_many_requests',
    ]);
  });
});
