/** Proves that a running server rotates its keys between two requests: key set, access tokens, ID tokens, sign-ins. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKeyStore } from '../../src/keys/key-store.ts';
import { rotate } from '../../src/keys/operator-changes.ts';
import { generateSigningKey } from '../../src/keys/signing-key.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { Browser } from '../support/browser.ts';
import { authorizePath, redeem, register, tokensFor } from '../support/client.ts';
import { policy } from '../support/opened-keys.ts';
import { type RunningServer, read, startServer } from '../support/running-server.ts';

interface KeySet {
  readonly keys: { readonly kid: string; readonly alg: string }[];
}

const PATIENCE = { timeout: 30_000 };

describe('key rotation in a running server', () => {
  const env = { KEY_POLL: '1s', KEY_LEAD: '3s', DOCUMENT_LIFETIME: '1s', ACCESS_TOKEN_LIFETIME: '10s' };
  let store: RecordStore;
  let server: RunningServer;
  beforeAll(async () => {
    store = createSqliteStore(':memory:', systemClock);
    server = await startServer({ env, store });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const keySet = async () => (await (await server.fetch('/jwks')).json()) as KeySet;
  const byHand = (algorithm: 'ES256' | 'EdDSA') => ({
    store: createKeyStore(store),
    // The server polls earlier, so there is a key set between the two moments.
    policy: { ...policy, algorithm, lead: 5, poll: 3 },
    clock: systemClock,
    generate: generateSigningKey,
  });

  it('RFC 9068 §4, RFC 7517 §5 a published new key signs both kinds of token', async () => {
    const client = await register(server);
    const before = await keySet();
    const tag = (await server.fetch('/jwks')).headers.get('etag');
    const browser = new Browser(server);
    const { page } = await browser.follow(authorizePath(client, { scope: 'openid mcp:tools' }));

    const { successor } = await rotate(byHand('EdDSA'), true);
    let published = before;
    const kids = async () => {
      published = await keySet();
      return published.keys.map(({ kid }) => kid);
    };
    await expect.poll(kids, PATIENCE).toContain(successor.kid);
    expect(published.keys[0]).toEqual(before.keys[0]);
    expect((await server.fetch('/jwks')).headers.get('etag')).not.toBe(tag);
    await expect.poll(async () => (await keySet()).keys[0]?.kid, PATIENCE).toBe(successor.kid);

    // The sign-in began on the previous engine.
    const { outside } = await browser.signIn(page, 'alice');
    const tokens = await read(await redeem(server, client, outside?.searchParams.get('code') ?? ''));
    const keys = createLocalJWKSet(await keySet());
    for (const token of [tokens.access_token, tokens.id_token].map(String)) {
      expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'EdDSA', kid: successor.kid });
      await expect(jwtVerify(token, keys)).resolves.toBeDefined();
    }
    const [line] = server.log.filter(({ msg }) => msg === 'signing keys changed').slice(-1);
    expect(line).toMatchObject({ kid: successor.kid });
    expect(JSON.stringify(server.log)).not.toContain(String(successor.d));
  });

  it('OpenID Connect Discovery §3 the metadata names the algorithms of all published keys', async () => {
    const metadata = await read(await server.fetch('/.well-known/openid-configuration'));
    const algorithms = (await keySet()).keys.map(({ alg }) => alg);
    expect(metadata.id_token_signing_alg_values_supported).toEqual([...new Set(algorithms)]);
  });
});

describe.each(['EdDSA', 'RS256'])('SIGNING_ALGORITHM=%s', (algorithm) => {
  it('RFC 9068 §2.1 SIGNING_ALGORITHM applies to everything from the first start', async () => {
    await using server = await startServer({ env: { SIGNING_ALGORITHM: algorithm } });
    const { access_token, id_token } = await tokensFor(server, await register(server), { scope: 'openid mcp:tools' });
    const { keys } = (await (await server.fetch('/jwks')).json()) as KeySet;
    expect(keys).toMatchObject([{ alg: algorithm, use: 'sig' }]);
    expect(keys[0]).not.toHaveProperty('d');
    for (const token of [access_token, id_token].map(String)) {
      expect(decodeProtectedHeader(token)).toMatchObject({ alg: algorithm, kid: keys[0]?.kid });
    }
  });
});
