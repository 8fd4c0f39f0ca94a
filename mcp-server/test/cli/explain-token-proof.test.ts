/** Proves that `explain-token --proof` says of a DPoP proof what the server with the same settings says to the client. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkOf, explain, tell } from '../support/explained-token.ts';
import { type Foreign, type ForeignServer, startForeign, startServer } from '../support/foreign.ts';
import { post } from '../support/http-harness.ts';
import { signToken } from '../support/issuer.ts';
import { type KeyHolder, keyHolder, type ProofOptions } from '../support/proof.ts';
import { headersOf, request } from '../support/stateless-harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'explain-proof-'));
const file = join(folder, 'proof');
let corp: Foreign;
let server: ForeignServer;
let holder: KeyHolder;
let thief: KeyHolder;
let settings: Readonly<Record<string, string>>;
beforeAll(async () => {
  [corp, holder, thief] = await Promise.all([startForeign(), keyHolder(), keyHolder()]);
  settings = { ISSUER: corp.issuer.url };
  server = await startServer(settings);
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server?.[Symbol.asyncDispose]();
  await corp.issuer.close();
});

const now = () => server.clock.now() / 1000;
const sign = (more: object = {}) =>
  signToken({
    key: corp.key,
    claims: {
      iss: corp.issuer.url,
      aud: `${server.url}/mcp`,
      sub: 'ada',
      client_id: 'desk',
      scope: 'mcp:tools',
      exp: now() + 600,
      cnf: { jkt: holder.thumbprint },
      ...more,
    },
  });
const prove = (token: string, more: Partial<ProofOptions> = {}, by = holder) =>
  by.prove({ token, url: `${server.url}/mcp`, now: now(), ...more });

/** What the command says of the proof. */
async function judged(token: string, proof: string, words: readonly string[] = [], env = settings) {
  writeFileSync(file, proof);
  const told = await tell(server, env, token, ['--proof', file, ...words]);
  return { status: told.status, turn: told.turn, ...checkOf(told, 'proof') };
}

/** What the server says of it: nothing if it is accepted. */
async function reasonOfServer(token: string, proof: string): Promise<unknown> {
  server.log.length = 0;
  const message = request('tools/call', { name: 'whoami', arguments: {} });
  const headers = { ...headersOf(message), authorization: `DPoP ${token}`, dpop: proof };
  await (await server.fetch('/mcp', post(token, message, headers))).text();
  return server.log.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'request refused')?.reason;
}

describe('explain-token --proof', () => {
  it('RFC 9449 §4.3 a proof of the request is accepted, by the server too', async () => {
    const token = await sign();
    const proof = await prove(token);
    expect(await judged(token, `DPoP: ${proof}\n`)).toMatchObject({
      status: 0,
      result: 'accepted',
      found: `for POST ${server.url}/mcp`,
    });
    expect(await reasonOfServer(token, proof)).toBeUndefined();
  });

  it.each<[string, (token: string) => Promise<string>]>([
    ['proof_malformed', async () => 'no.proof'],
    ['proof_malformed', (token) => prove(token, { claims: { jti: undefined } })],
    ['proof_type', (token) => prove(token, { header: { typ: 'JWT' } })],
    ['proof_key', (token) => prove(token, { header: { jwk: { ...holder.publicJwk, kty: 'none' } } })],
    ['proof_method', (token) => prove(token, { method: 'GET' })],
    ['proof_url', (token) => prove(token, { url: 'https://other.example/mcp' })],
    ['proof_of_another_token', () => prove('another')],
    ['proof_signature', async (token) => (await prove(token)).replace(/[^.]{8}$/, 'AAAAAAAA')],
    ['bound_to_another_key', (token) => prove(token, {}, thief)],
  ])('RFC 9449 §4.3 what is refused as %s is refused by the server too', async (reason, made) => {
    const token = await sign();
    const proof = await made(token);
    expect(await judged(token, proof)).toMatchObject({
      status: 1,
      result: 'refused',
      reason,
      turn: expect.arrayContaining(['issuer']),
    });
    expect(await reasonOfServer(token, proof)).toBe(reason);
  });

  it('RFC 9449 §11.1 a recorded proof is judged as of the time at which it was made', async () => {
    const token = await sign();
    const told = await judged(token, await prove(token, { now: now() - 3_600 }));
    expect(told).toMatchObject({ status: 0, note: expect.stringContaining('as of 2025-12-31T23:00:00.000Z') });
  });

  it('RFC 9449 §9 a proof without the nonce that is required is refused, with the setting', async () => {
    const token = await sign();
    const env = { ...settings, DPOP_NONCE_REQUIRED: 'true' };
    const told = await judged(token, await prove(token), [], env);
    expect(told).toMatchObject({ reason: 'nonce_wanted', setting: 'DPOP_NONCE_REQUIRED' });
    expect(await judged(token, await prove(token, { claims: { nonce: 'n' } }), [], env)).toMatchObject({ status: 0 });
  });

  it('the request is another one with --method and --url', async () => {
    const token = await sign();
    const proof = await prove(token, { method: 'GET', url: `${server.url}/sse` });
    expect(await judged(token, proof, ['--method', 'GET', '--url', `${server.url}/sse`])).toMatchObject({ status: 0 });
  });

  it('RFC 9449 §7.1 a proof beside a token that is not bound is refused, and none is checked beside a refused token', async () => {
    const bearer = await sign({ cnf: undefined });
    expect(await judged(bearer, await prove(bearer))).toMatchObject({ status: 1, reason: 'not_bound' });
    const expired = await sign({ exp: now() - 60 });
    expect(await judged(expired, await prove(expired))).toMatchObject({ status: 1, result: 'unchecked' });
  });

  it.each([
    [['--proof', join(folder, 'missing')], /--proof: the file can't be read \(ENOENT\)/],
    [['--method', 'GET'], /name --proof too/],
    [['--proof', file, '--url', 'mcp'], /--url: expected a URL/],
  ])('the words %j are refused', async (words, expected) => {
    writeFileSync(file, 'x');
    const { status, stderr } = await explain(server, settings, { token: await sign(), words });
    expect([status, stderr]).toEqual([2, expect.stringMatching(expected)]);
  });
});
