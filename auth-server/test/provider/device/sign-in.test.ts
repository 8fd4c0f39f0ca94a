/** Proves a sign-in of a device from its registration to its tokens, and that its tokens are bound as those of a browser (RFC 8628). */
import { decodeJwt } from 'jose';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { UpstreamError } from '../../../src/federation/connector.ts';
import { refresh } from '../../support/client.ts';
import {
  askForCodes,
  codesFor,
  DEVICE_GRANT,
  pageOf,
  poll,
  registerDevice,
  startWithDevices,
  Visitor,
} from '../../support/device.ts';
import { form, ISSUER, MCP, read, startServer } from '../../support/running-server.ts';

describe('RFC 8628 a sign-in of a device', () => {
  it('RFC 8628 §3.1, §3.2 a device gets its codes, the address of the page, and how often it may ask', async () => {
    await using server = await startWithDevices();
    const codes = await codesFor(server, await registerDevice(server));
    expect(codes).toEqual({
      device_code: expect.stringMatching(/^[\w-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${ISSUER}/device`,
      verification_uri_complete: `${ISSUER}/device?user_code=${codes.user_code}`,
      expires_in: 600,
      interval: 5,
    });
  });

  it('RFC 8628 §3.3, §3.5 a person enters the code, compares it, approves, and the device gets its tokens once', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const codes = await codesFor(server, client, { scope: 'mcp:tools offline_access', resource: MCP });
    expect((await poll(server, client, codes)).json.error).toBe('authorization_pending');
    const visitor = new Visitor(server);
    const compare = await visitor.enter(codes.user_code);
    expect(compare.markup).toContain('Does your device show this code?');
    expect(compare.markup).toContain(codes.user_code);
    expect(compare.markup).toContain('want access to your account');
    const asked = await visitor.send({ ...compare.fields, confirm: 'yes' } as Record<string, string>);
    expect(asked.markup).toContain('Allow <bdi>Terminal</bdi> to use');
    expect(asked.markup).toContain(codes.user_code);
    expect(asked.markup).toContain('a device that shows this code');
    expect(asked.markup).toContain('want access to your account');
    const end = await pageOf((await visitor.browser.signIn(asked.response, 'alice')).page);
    expect([end.status, end.markup]).toEqual([200, expect.stringContaining('Your device has access')]);
    const { status, json } = await poll(server, client, codes, { resource: MCP });
    expect([status, json.scope]).toEqual([200, 'mcp:tools']);
    expect(decodeJwt(String(json.access_token))).toMatchObject({ aud: MCP, client_id: client.id, scope: 'mcp:tools' });
    expect((await refresh(server, client, json.refresh_token)).status).toBe(200);
  });

  it('RFC 8628 §6.1 case, hyphens and blanks do not matter in a code that a person enters', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const { user_code } = await codesFor(server, client);
    for (const code of [user_code.toLowerCase(), user_code.replace('-', ''), ` ${user_code.replace('-', ' ')} `]) {
      expect((await new Visitor(server).enter(code)).markup).toContain(user_code);
    }
  });

  it('RFC 8628 §3.3.1 a link with the code fills the field, and the person still compares the code', async () => {
    await using server = await startWithDevices();
    const codes = await codesFor(server, await registerDevice(server));
    const visitor = new Visitor(server);
    const { fields, markup } = await visitor.open(codes.verification_uri_complete);
    expect(fields.user_code).toBe(codes.user_code);
    expect(markup).not.toContain('<script');
    expect((await visitor.send(fields)).markup).toContain('Does your device show this code?');
  });

  it('RFC 8628 §4 the metadata names the endpoint and the grant where DEVICE_AUTHORIZATION is on, and only there', async () => {
    await using on = await startWithDevices();
    await using off = await startServer();
    const metadata = async (server: typeof on) => read(await server.fetch('/.well-known/oauth-authorization-server'));
    expect(await metadata(on)).toMatchObject({
      device_authorization_endpoint: `${ISSUER}/device_authorization`,
      grant_types_supported: expect.arrayContaining([DEVICE_GRANT]),
    });
    const without = await metadata(off);
    expect(without).not.toHaveProperty('device_authorization_endpoint');
    expect(without.grant_types_supported).not.toContain(DEVICE_GRANT);
    for (const path of ['/device', '/device_authorization']) expect((await off.fetch(path, form({}))).status).toBe(404);
  });

  it('RFC 8628 §3.2 an issuer with a path has the page below it', async () => {
    await using server = await startWithDevices({ env: { ISSUER: 'http://localhost:9000/auth' } });
    const client = await registerDevice(server);
    const codes = await codesFor(server, client);
    expect(codes.verification_uri).toBe('http://localhost:9000/auth/device');
    expect((await new Visitor(server).approve(codes.user_code)).markup).toContain('Your device has access');
    expect((await poll(server, client, codes)).status).toBe(200);
  });

  it('RFC 8707 §2 a device that names an unknown resource gets no code, and another resource at /token gets no token', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const refused = await askForCodes(server, client, { resource: 'https://other.example/' });
    expect([refused.status, (await read(refused)).error]).toEqual([400, 'invalid_target']);
    const codes = await codesFor(server, client, { resource: MCP });
    await new Visitor(server).approve(codes.user_code);
    const { json } = await poll(server, client, codes, { resource: 'https://other.example/' });
    expect(json.error).toBe('invalid_target');
  });

  it('a device is never approved silently: the same person and client are asked for every code', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const visitor = new Visitor(server);
    const first = await codesFor(server, client);
    await visitor.approve(first.user_code);
    const second = await codesFor(server, client);
    const asked = await visitor.confirm(second.user_code);
    expect(asked.markup).toContain('As <strong><bdi>alice');
    expect((await poll(server, client, second)).json.error).toBe('authorization_pending');
    const { page } = await visitor.browser.submit(asked.response, 'approve');
    expect(await page?.text()).toContain('Your device has access');
    expect((await poll(server, client, second)).status).toBe(200);
  });

  it('RFC 8628 §3.5 a person who denies ends the request with access_denied, on either page', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const visitor = new Visitor(server);
    const first = await codesFor(server, client);
    const { page } = await visitor.browser.submit((await visitor.confirm(first.user_code)).response, 'deny');
    expect(await page?.text()).toContain('No access was given');
    expect((await poll(server, client, first)).json).toMatchObject({ error: 'access_denied' });
    const second = await codesFor(server, client);
    const { fields } = await visitor.enter(second.user_code);
    expect((await visitor.send({ ...fields, abort: 'yes' })).markup).toContain('No access was given');
    expect((await poll(server, client, second)).json).toMatchObject({ error: 'access_denied' });
  });

  it('a person who may not come in ends the request of the device', async () => {
    await using server = await startWithDevices({ env: { PEOPLE_DENY: 'subject:bob' } });
    const client = await registerDevice(server);
    const codes = await codesFor(server, client);
    const visitor = new Visitor(server);
    const refused = await visitor.approve(codes.user_code, 'bob');
    const [, finish = ''] = /href="([^"]+\/finish)"/.exec(refused.markup) ?? [];
    expect((await visitor.open(finish)).markup).toContain('No access was given');
    expect((await poll(server, client, codes)).json).toMatchObject({ error: 'access_denied' });
  });

  it('an identity provider that is down ends the request of the device with its own error', async () => {
    const begin = async () => {
      throw new UpstreamError('unavailable', 'down');
    };
    await using server = await startWithDevices({
      connectors: (acme) => [{ ...acme, connector: { ...acme.connector, begin } }],
    });
    const client = await registerDevice(server);
    const codes = await codesFor(server, client);
    const visitor = new Visitor(server);
    const asked = await visitor.confirm(codes.user_code);
    const { page } = await visitor.browser.submit(asked.response, 'approve', { connector: 'acme' });
    expect(await page?.text()).toContain('The device got no access.');
    expect((await poll(server, client, codes)).json.error).toBe('temporarily_unavailable');
  });

  it('RFC 8628 §3.5 a code of more than ten minutes is expired_token for the device, and refused on the page', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const codes = await codesFor(server, client);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect((await new Visitor(server).enter(codes.user_code)).markup).toContain('can’t be used');
    expect((await poll(server, client, codes)).json.error).toBe('expired_token');
  });
});
