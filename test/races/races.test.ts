/**
 * Proves that auth-server may run in any number of processes: a one-time value has one winner among concurrent
 * requests, over HTTP, against two processes, on every storage. Each race prints its rounds and its winners.
 */

import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, OAuthClient } from '../support/oauth-client.ts';
import { type Page, Person } from '../support/person.ts';
import { type Replicas, type Shared, STORAGES, startReplicas } from './replicas.ts';

const ROUNDS = 50;
const RACERS = 4;
/** How much later a rival may start, in requests. */
const STAGES = 10;
/** Repeated without delay: a web client, whose approval is remembered. */
const WEB = 'https://app.example/callback';

const pair = await generateKeyPair('ES256');
const jwk = await exportJWK(pair.publicKey);
const signed = (claims: Record<string, unknown>, header: object = {}): Promise<string> =>
  new SignJWT({ jti: crypto.randomUUID(), ...claims })
    .setProtectedHeader({ alg: 'ES256', ...header })
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(pair.privateKey);

describe.each(Object.entries(STORAGES))('two auth-servers on %s', (name, share) => {
  let shared: Shared;
  let replicas: Replicas;
  const needsRedis = /Redis/.test(name);

  beforeAll(async () => {
    if (needsRedis && !hasRedis) return;
    shared = await share();
    replicas = await startReplicas(shared);
  });
  afterAll(async () => {
    await replicas?.[Symbol.asyncDispose]();
    await shared?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(needsRedis && !hasRedis, NEEDS_REDIS));

  /** @param prepare returns the action of each racer of a round; an action returns whether it won */
  async function race(what: string, prepare: (round: number) => Promise<() => Promise<boolean>>): Promise<void> {
    const winners: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const attempt = await prepare(round);
      const won = await Promise.all(Array.from({ length: RACERS }, attempt));
      winners.push(won.filter(Boolean).length);
    }
    process.stdout.write(
      `${name}: ${what}: ${ROUNDS} rounds of ${RACERS}, winners ${[...new Set(winners)].join(', ')}\n`,
    );
    expect(new Set(winners)).toEqual(new Set([1]));
  }
  const won = async (answer: Promise<Answer>): Promise<boolean> => (await answer).status === 200;

  /** A client whose person has approved once: codes are issued without a page. */
  async function remembered(metadata: object = {}) {
    const client = await OAuthClient.register(replicas.stack, { redirect_uris: [WEB], ...metadata });
    const person = new Person();
    const url = client.authorizationUrl({ redirect_uri: WEB });
    await person.signIn(url, WEB);
    const code = async () => ((await person.open(url, WEB)) as URL).searchParams.get('code') ?? '';
    const tokens = async (parameters: Record<string, string> = {}) =>
      (await client.redeem(await code(), { redirect_uri: WEB, ...parameters })).json;
    return { client, person, code, tokens };
  }

  it('a sign-in finishes although each request meets the other process', async () => {
    const client = await OAuthClient.register(replicas.stack);
    const { refresh_token } = await client.tokens();
    expect((await client.refresh(refresh_token)).status).toBe(200);
  });

  it('RFC 6749 §4.1.2 an authorization code works for one of many concurrent requests', async () => {
    const client = await OAuthClient.register(replicas.stack);
    await race('authorization code', async () => {
      // Approved in each round: a reused code revokes the approval that it came from.
      const contested = await client.code();
      return () => won(client.redeem(contested));
    });
  });

  it('RFC 9700 §4.14.2 a refresh token has one successor, which all concurrent requests get', async () => {
    const { client, tokens } = await remembered();
    let successors = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const token = String((await tokens()).refresh_token);
      const answers = await Promise.all(Array.from({ length: RACERS }, () => client.refresh(token)));
      answers.push(await client.refresh(token));
      expect(answers.map(({ status }) => status)).toEqual(Array(RACERS + 1).fill(200));
      const different = new Set(answers.map(({ json }) => json.refresh_token));
      expect(different.size).toBe(1);
      successors += different.size;
      expect((await client.refresh(String([...different][0]))).status).toBe(200);
    }
    process.stdout.write(`${name}: refresh token: ${ROUNDS} rounds of ${RACERS} + 1 late, successors ${successors}\n`);
  });

  it('RFC 7009 §2.1 a revocation is final, although the person approves more at the same moment', async () => {
    const { client, person } = await remembered();
    const asking = client.authorizationUrl({ redirect_uri: WEB, prompt: 'consent' });
    let alive = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const code = (await person.signIn(asking, WEB)).searchParams.get('code') ?? '';
      const token = String((await client.redeem(code, { redirect_uri: WEB })).json.refresh_token);
      const page = (await person.open(asking, WEB)) as Page;
      // A little later in each round, so that the revocation falls between reads and writes.
      const later = async () => {
        for (let n = 0; n < round % STAGES; n += 1) await client.post('/revoke', { token: 'of nobody' });
        return client.post('/revoke', { token });
      };
      const [, revoked] = await Promise.all([person.press(page, /Approve/, WEB), later()]);
      expect(revoked.status).toBe(200);
      if ((await client.refresh(token)).status === 200) alive += 1;
    }
    process.stdout.write(`${name}: revocation: ${ROUNDS} rounds of one and an approval, alive ${alive}\n`);
    expect(alive).toBe(0);
  });

  it('RFC 9126 §4 a pushed request works for one of many concurrent requests', async () => {
    const { client, person } = await remembered();
    await race('pushed request', async () => {
      const parameters = client.authorizationUrl({ redirect_uri: WEB }).searchParams;
      const { json } = await client.post('/par', Object.fromEntries(parameters));
      const url = new URL('/authorize', replicas.stack.authUrl);
      url.search = new URLSearchParams({ client_id: client.id, request_uri: String(json.request_uri) }).toString();
      return async () => /[?&]code=/.test((await person.request(url)).headers.get('location') ?? '');
    });
  });

  it('RFC 6749 §10.12 a callback from an upstream works for one of many concurrent requests', async () => {
    const client = await OAuthClient.register(replicas.stack);
    await race('login state', async () => {
      const person = new Person();
      const until = `${replicas.stack.authUrl}/callback/`;
      const page = await person.open(client.authorizationUrl(), until);
      const upstream = page instanceof URL ? page : await person.press(page, /Continue with/, until);
      const back = upstream instanceof URL ? upstream : await person.press(upstream, /Alice/, until);
      return async () => (await person.request(back as URL)).status === 303;
    });
  });

  it('RFC 9449 §11.1 a DPoP proof works for one of many concurrent requests', async () => {
    const { client, tokens } = await remembered();
    await race('DPoP proof', async () => {
      const token = String((await tokens()).refresh_token);
      const claims = { htm: 'POST', htu: `${replicas.stack.authUrl}/token` };
      const dpop = await signed(claims, { typ: 'dpop+jwt', jwk });
      return () => won(client.refresh(token, {}, { dpop }));
    });
  });

  it('RFC 7523 §3 a client assertion works for one of many concurrent requests', async () => {
    const metadata = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...jwk, kid: 'k' }] } };
    const { client, code } = await remembered(metadata);
    const assertion = async () => ({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await signed({ iss: client.id, sub: client.id, aud: replicas.stack.authUrl }, { kid: 'k' }),
    });
    const { json } = await client.redeem(await code(), { redirect_uri: WEB, ...(await assertion()) });
    let token = String(json.refresh_token);
    await race('client assertion', async () => {
      const next = await client.refresh(token, await assertion());
      token = String(next.json.refresh_token);
      const contested = await assertion();
      return () => won(client.refresh(token, contested));
    });
  });

  it('RFC 9700 §4.14.2 a refresh token with REFRESH_GRACE=0s works for one of many concurrent requests', async () => {
    await using strict = await startReplicas(shared, { REFRESH_GRACE: '0s' });
    const client = await OAuthClient.register(strict.stack);
    const person = new Person();
    await race('refresh token without grace', async () => {
      const { refresh_token } = await client.tokens({}, person);
      return () => won(client.refresh(refresh_token));
    });
    expect(strict.output()).not.toContain('"level":"error"');
  });

  it('both servers sign with one set of keys, and log no error', async () => {
    const keys = await Promise.all([1, 2].map(async () => (await fetch(`${replicas.stack.authUrl}/jwks`)).text()));
    expect(new Set(keys).size).toBe(1);
    expect(replicas.output()).not.toContain('"level":"error"');
  });
});
