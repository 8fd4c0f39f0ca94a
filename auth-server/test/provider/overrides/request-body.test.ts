/** Proves that the engine gets the body of a request as it was sent, in whatever parts, and that a body without an end leaves nothing behind. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, type RunningServer, read, startServer } from '../../support/running-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const body = String(new URLSearchParams({ grant_type: 'refresh_token', client_id: 'nobody é', refresh_token: 'x' }));

/** A request whose parts are sent one by one, each in a turn of its own. */
async function send(parts: readonly string[], headers: Readonly<Record<string, string | number>> = {}) {
  const sent = request(`${server.address}/token`, { method: 'POST', headers: { ...FORM, ...headers } });
  const answer = new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    sent.once('error', reject).once('response', async (response) => {
      let text = '';
      for await (const part of response) text += part;
      resolve({ status: response.statusCode, text });
    });
  });
  for (const part of parts) await new Promise((resolve) => sent.write(part, resolve));
  sent.end();
  return answer;
}

describe('RFC 6749 §3.2 the body of a token request', () => {
  it.each([
    ['whole', [body], {}],
    ['in chunks of one octet', [...body], {}],
    ['with its length', [body.slice(0, 20), body.slice(20)], { 'content-length': Buffer.byteLength(body) }],
  ])('§3.2 a body is read as it was sent: %s', async (_, parts, headers) => {
    expect(await send(parts, headers)).toEqual({
      status: 401,
      text: JSON.stringify({ error: 'invalid_client', error_description: 'client authentication failed' }),
    });
  });

  it('RFC 9110 §15.5.14 a body in chunks that is too large is refused before its end, and no body counts as an empty one', async () => {
    expect(await send(Array.from({ length: 60 }, () => 'x'.repeat(1_024)))).toMatchObject({
      status: 400,
      text: expect.stringContaining('failed to parse the request body'),
    });
    expect(await send([''], { 'content-length': 0 })).toMatchObject({ status: 400 });
  });

  it('RFC 7591 §3 requests at once each get the answer to their own body', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `App ${n}`);
    const register = (client_name: string) =>
      server.fetch('/register', json({ client_name, redirect_uris: ['http://localhost/callback'] }));
    const answers = await Promise.all(names.map(async (name) => read(await register(name))));
    expect(answers.map(({ client_name }) => client_name)).toEqual(names);
  });

  it('a client that leaves in the middle of its body is not waited for', async () => {
    const before = server.log.length;
    const left = request(`${server.address}/token`, { method: 'POST', headers: { ...FORM, 'content-length': 100 } });
    left.once('error', () => {});
    await new Promise((resolve) => left.write('grant_type=', resolve));
    left.destroy();
    const said = () => server.log.slice(before).map(({ msg, path }) => (msg === 'request' ? `${msg} ${path}` : msg));
    await expect.poll(said).toEqual(expect.arrayContaining(['request /token', 'token request refused']));
  });
});
