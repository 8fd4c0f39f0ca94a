/** Proves that a device code helps nobody but the device that got it and the person who approves it (RFC 8628 §5). */

import { systemClock } from '@mcp-oauth/shared/clock';
import { describe, expect, it } from 'vitest';
import type { RecordStore } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { WEB } from '../../support/client.ts';
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
import { form, json, read } from '../../support/running-server.ts';

/** A store that also shows what was written to it. */
function watchedStore() {
  const written: string[] = [];
  const store = createSqliteStore(':memory:', systemClock);
  const put: RecordStore['put'] = (kind, id, value, options) => {
    written.push(JSON.stringify([kind, id, value, options]));
    return store.put(kind, id, value, options);
  };
  return { store: { ...store, put } satisfies RecordStore, written };
}

describe('RFC 8628 §5 device codes under attack', () => {
  it('RFC 8628 §3.4 a device code of another client is invalid_grant, and its own client still gets the tokens', async () => {
    await using server = await startWithDevices();
    const [mine, other] = [await registerDevice(server), await registerDevice(server)];
    const codes = await codesFor(server, mine);
    await new Visitor(server).approve(codes.user_code);
    expect((await poll(server, other, codes)).json.error).toBe('invalid_grant');
    expect((await poll(server, mine, codes)).status).toBe(200);
  });

  it('a device code is in the store as SHA-256 only, and what is in the store is no device code', async () => {
    const { store, written } = watchedStore();
    await using server = await startWithDevices({ store });
    const client = await registerDevice(server);
    const codes = await codesFor(server, client);
    await new Visitor(server).approve(codes.user_code);
    expect(written.join('\n')).not.toContain(codes.device_code);
    const [handle = ''] = /sha256:[\w-]+/.exec(written.join('\n')) ?? [];
    expect(handle).not.toBe('');
    for (const device_code of [handle, handle.slice('sha256:'.length)]) {
      expect((await poll(server, client, { device_code })).json.error).toBe('invalid_grant');
    }
    expect((await poll(server, client, codes)).status).toBe(200);
  });

  it('CWE-532 neither code reaches the log, entered, misspelt, in a link or in an error', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const codes = await codesFor(server, client);
    const visitor = new Visitor(server);
    await visitor.enter('BBBB-BBBB');
    await visitor.open(`/device?user_code=${codes.user_code}`);
    await poll(server, client, codes);
    await visitor.approve(codes.user_code);
    await poll(server, client, codes);
    await poll(server, client, codes);
    const log = JSON.stringify(server.log);
    const plain = codes.user_code.replace('-', '');
    for (const secret of [codes.user_code, plain, codes.device_code, 'BBBB-BBBB', 'BBBBBBBB']) {
      expect(log).not.toContain(secret);
    }
  });

  it('RFC 8628 §5.1 a code that was entered cannot be entered by anybody else, and a wrong one says the same', async () => {
    await using server = await startWithDevices();
    const codes = await codesFor(server, await registerDevice(server));
    await new Visitor(server).confirm(codes.user_code);
    const stranger = new Visitor(server);
    const [used, unknown] = [await stranger.enter(codes.user_code), await stranger.enter('BBBB-BBBB')];
    const withoutTokens = ({ markup }: { markup: string }) =>
      markup.replace(/value="[^"]*"/g, '').replace(/nonce-\w+/g, '');
    expect(withoutTokens(used)).toBe(withoutTokens(unknown));
    expect(used.markup).toContain('can’t be used');
  });

  it('a person who mistyped enters the right code on the page that says so', async () => {
    await using server = await startWithDevices();
    const codes = await codesFor(server, await registerDevice(server));
    const visitor = new Visitor(server);
    const refused = await visitor.enter('BBBB-BBBB');
    expect(refused.fields.user_code).toBe('BBBB-BBBB');
    const next = await visitor.send({ xsrf: refused.fields.xsrf ?? '', user_code: codes.user_code });
    expect(next.markup).toContain('Does your device show this code?');
  });

  it('one goes on of several people who confirm a code at the same moment', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    for (let round = 0; round < 10; round += 1) {
      const { user_code } = await codesFor(server, client);
      const visitors = await Promise.all(
        [1, 2, 3].map(async () => {
          const visitor = new Visitor(server);
          return { visitor, fields: (await visitor.enter(user_code)).fields };
        }),
      );
      const pages = await Promise.all(
        visitors.map(({ visitor, fields }) => visitor.send({ ...fields, confirm: 'yes' })),
      );
      expect(pages.filter(({ markup }) => markup.includes('/approve"'))).toHaveLength(1);
      expect(pages.filter(({ markup }) => markup.includes('can’t be used'))).toHaveLength(2);
    }
  });

  it('RFC 9700 §4.7 a form without the token of the page, or from another site, does nothing', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const codes = await codesFor(server, client);
    const visitor = new Visitor(server);
    const { fields } = await visitor.enter(codes.user_code);
    const confirmed = { ...fields, confirm: 'yes' } as Record<string, string>;
    const foreign = await visitor.send(confirmed, { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' });
    expect(foreign.status).toBe(403);
    const forged = await visitor.send({ ...confirmed, xsrf: 'forged' });
    expect([forged.status, forged.markup]).toEqual([400, expect.stringContaining('out of date')]);
    const other = new Visitor(server);
    expect((await other.send(confirmed)).status).toBe(400);
    expect((await poll(server, client, codes)).json.error).toBe('authorization_pending');
  });

  it('RFC 6749 §10.13 no page can be framed, and none has a script', async () => {
    await using server = await startWithDevices();
    const codes = await codesFor(server, await registerDevice(server));
    const visitor = new Visitor(server);
    const pages = [await visitor.open(), await visitor.enter('x'), await visitor.enter(codes.user_code)];
    pages.push(await visitor.approve(codes.user_code));
    for (const { response, markup } of pages) {
      expect(response.headers.get('x-frame-options')).toBe('DENY');
      expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(response.headers.get('content-security-policy')).not.toContain('script-src');
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(markup).not.toContain('<script');
    }
  });

  it('RFC 9110 §9.2.1 HEAD at the page is refused, because a link preview must change nothing', async () => {
    await using server = await startWithDevices();
    expect((await server.fetch('/device', { method: 'HEAD' })).status).toBe(405);
  });

  it.each([
    ['nothing', {}],
    ['two codes', 'user_code=BBBB-BBBB&user_code=CCCC-CCCC'],
    ['a huge code', { user_code: 'B'.repeat(100_000) }],
    ['a code of 4 KiB', { user_code: 'B'.repeat(4_000) }],
    ['markup', { user_code: '<script>alert(1)</script>' }],
    ['signs of other scripts', { user_code: 'ВВВВ\u0000\u202e𝔅𝔅💥' }],
    ['half a surrogate pair', 'user_code=%ED%A0%80'],
  ])('%s as a code gets a page that says so', async (_, fields) => {
    await using server = await startWithDevices();
    const visitor = new Visitor(server);
    const { fields: given } = await visitor.open();
    const body = new URLSearchParams(fields);
    body.set('xsrf', given.xsrf ?? '');
    const page = await pageOf((await visitor.browser.follow('/device', { method: 'POST', body })).page);
    expect([200, 400, 413]).toContain(page.status);
    expect(page.markup).toContain('<h1>');
    expect(page.markup).not.toContain('<script');
  });

  it.each([
    ['nothing', ''],
    ['two codes', 'user_code=a&user_code=b'],
    ['markup', `user_code=${encodeURIComponent('"><script>alert(1)</script>')}`],
    ['a long code', `user_code=${'B'.repeat(3_000)}`],
  ])('a link with %s fills at most 20 escaped characters', async (_, query) => {
    await using server = await startWithDevices();
    const page = await new Visitor(server).open(`/device?${query}`);
    expect(page.status).toBe(200);
    expect(page.markup).not.toContain('<script');
    expect(page.fields.user_code?.length ?? 0).toBeLessThan(40);
  });

  it.each([
    ['a web client', { grant_types: ['authorization_code', DEVICE_GRANT] }, WEB],
    [
      'a client with a secret',
      { grant_types: ['authorization_code', DEVICE_GRANT], token_endpoint_auth_method: 'client_secret_post' },
      'http://127.0.0.1/callback',
    ],
    ['a client that did not ask for the grant', {}, 'http://127.0.0.1/callback'],
  ] as const)('RFC 8628 §3.2 %s is unauthorized_client', async (_, metadata, redirectUri) => {
    await using server = await startWithDevices();
    const registered = await read(
      await server.fetch(
        '/register',
        json({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'none', ...metadata }),
      ),
    );
    expect(registered.grant_types).not.toContain(DEVICE_GRANT);
    const secret = registered.client_secret ? { client_secret: String(registered.client_secret) } : {};
    const parameters = { client_id: String(registered.client_id), ...secret };
    for (const [path, more] of [
      ['/device_authorization', {}],
      ['/token', { grant_type: DEVICE_GRANT, device_code: 'x' }],
    ] as const) {
      const response = await server.fetch(path, form({ ...parameters, ...more }));
      expect([response.status, (await read(response)).error]).toEqual([400, 'unauthorized_client']);
    }
  });

  it('RFC 7591 §3.2.2 a web client that asks for nothing but this grant is not registered', async () => {
    await using server = await startWithDevices();
    const metadata = { redirect_uris: [WEB], token_endpoint_auth_method: 'none', grant_types: [DEVICE_GRANT] };
    const response = await server.fetch('/register', json(metadata));
    expect([response.status, (await read(response)).error]).toEqual([400, 'invalid_client_metadata']);
  });

  it('RFC 6749 §5.2 an unknown client gets invalid_client, and no page is told of it', async () => {
    await using server = await startWithDevices();
    const response = await askForCodes(server, { id: 'nobody', redirectUri: '' });
    expect([response.status, (await read(response)).error]).toEqual([401, 'invalid_client']);
    expect(response.headers.get('content-type')).toContain('json');
  });

  it('a client whose name changes after the page was shown is not approved by that page', async () => {
    await using server = await startWithDevices({ env: { REGISTRATION_MANAGEMENT: 'true' } });
    const metadata = {
      redirect_uris: ['http://127.0.0.1/callback'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: [DEVICE_GRANT, 'refresh_token'],
      response_types: [],
      client_name: 'Terminal',
    };
    const registered = await read(await server.fetch('/register', json(metadata)));
    const client = { id: String(registered.client_id), redirectUri: '' };
    const codes = await codesFor(server, client);
    const visitor = new Visitor(server);
    const asked = await visitor.confirm(codes.user_code);
    const change = (more: object) =>
      server.fetch(`/register/${client.id}`, {
        ...json(
          { ...metadata, client_id: client.id, ...more },
          { authorization: `Bearer ${registered.registration_access_token}` },
        ),
        method: 'PUT',
      });
    expect((await change({ client_name: 'Your bank' })).status).toBe(200);
    const { page } = await visitor.browser.submit(asked.response, 'approve', { connector: 'acme' });
    expect(page?.status).toBe(403);
    expect((await poll(server, client, codes)).json.error).toBe('authorization_pending');
  });
});
