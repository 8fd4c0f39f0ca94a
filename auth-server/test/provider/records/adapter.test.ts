/** Proves what the engine leaves in the store: digests of secrets, and an expiry for every record. */
import { readFileSync } from 'node:fs';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { PutOptions, RecordStore } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, VERIFIER, WEB } from '../../support/client.ts';
import { form, ISSUER, json, read, startServer } from '../../support/running-server.ts';

interface Written extends PutOptions {
  readonly kind: string;
  readonly text: string;
}

/** Records all writes. */
function observed(store: RecordStore): { readonly store: RecordStore; readonly written: Written[] } {
  const written: Written[] = [];
  const note = (kind: string, id: string, value: object, options: PutOptions) =>
    written.push({ kind, text: `${id} ${JSON.stringify(value)}`, ...options });
  return {
    written,
    store: {
      ...store,
      put: (kind, id, value, options) => {
        note(kind, id, value, options);
        return store.put(kind, id, value, options);
      },
      putIfAbsent: (kind, id, value, options) => {
        note(kind, id, value, options);
        return store.putIfAbsent(kind, id, value, options);
      },
    },
  };
}

describe('RFC 6749 §10.3 the store', () => {
  it('the store never holds a plain code or refresh token, and every record expires', async () => {
    const { store, written } = observed(createSqliteStore(':memory:', { now: () => Date.now() }));
    await using server = await startServer({ store });
    const client = await register(server);
    const { code } = await authorize(server, client);
    const first = await read(await redeem(server, client, code));
    const second = await read(await refresh(server, client, first.refresh_token));
    const all = written.map(({ text }) => text).join('\n');
    for (const secret of [code, first.refresh_token, second.refresh_token, VERIFIER]) {
      expect(all).not.toContain(String(secret));
    }
    const kinds = new Set(written.map(({ kind }) => kind));
    for (const kind of ['Client', 'Interaction', 'Session', 'Grant', 'AuthorizationCode', 'RefreshToken', 'Keyring']) {
      expect(kinds).toContain(kind);
    }
    expect(kinds).not.toContain('AccessToken');
    const page = readFileSync(new URL('../../../../docs/storage.md', import.meta.url), 'utf8');
    for (const kind of kinds) {
      expect(page, 'docs/storage.md').toContain(`| \`${kind}\` |`);
      expect(page, 'docs/storage.md').toContain(`as:v1:${kind}:`);
    }
    for (const { kind, ttl } of written) expect([kind, ttl > 0 && Number.isInteger(ttl)]).toEqual([kind, true]);
  });

  it('a refresh token is stored without the members that nothing reads', async () => {
    const { store, written } = observed(createSqliteStore(':memory:', { now: () => Date.now() }));
    await using server = await startServer({ store });
    const client = await register(server);
    const first = await read(await redeem(server, client, (await authorize(server, client)).code));
    await refresh(server, client, first.refresh_token);
    const texts = written.filter(({ kind }) => kind === 'RefreshToken').map(({ text }) => text);
    expect(texts).toHaveLength(2);
    for (const name of ['kind', 'iiat', 'rotations', 'sessionUid', 'expiresWithSession']) {
      expect(texts.join()).not.toContain(`"${name}"`);
    }
  });
});

describe('a deleted account', () => {
  it('a deleted account fails to refresh, and its person can sign in again in the same session', async () => {
    const store = createSqliteStore(':memory:', { now: () => Date.now() });
    await using server = await startServer({ store });
    const client = await register(server);
    const browser = new Browser(server);
    const { code } = await authorize(server, client, { scope: 'openid mcp:tools' }, { browser });
    const tokens = await read(await redeem(server, client, code));
    const { sub } = JSON.parse(Buffer.from(String(tokens.id_token).split('.')[1] ?? '', 'base64url').toString());
    await store.delete('Account', sub);
    expect(await read(await refresh(server, client, tokens.refresh_token))).toMatchObject({
      error: 'invalid_grant',
    });
    const { page } = await browser.follow(authorizePath(client));
    expect(page?.status).toBe(200);
    expect((await browser.signIn(page, 'alice')).outside?.searchParams.get('code')).toBeTruthy();
  });
});

describe('RFC 7523 §3 a client with its own key', () => {
  it('a client assertion authenticates once, also when it is sent many times at once', async () => {
    await using server = await startServer();
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const metadata = {
      redirect_uris: [WEB],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] },
    };
    const { client_id: id } = await read(await server.fetch('/register', json(metadata)));
    const assertion = (jti: string) =>
      new SignJWT({ jti })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setIssuer(String(id))
        .setSubject(String(id))
        .setAudience(ISSUER)
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(privateKey);
    const attempt = (client_assertion: string, code = 'unknown') =>
      server.fetch(
        '/token',
        form({
          grant_type: 'authorization_code',
          code,
          redirect_uri: WEB,
          code_verifier: VERIFIER,
          client_assertion,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        }),
      );
    const { code } = await authorize(server, { id: String(id), redirectUri: WEB });
    expect((await attempt(await assertion('1'), code)).status).toBe(200);
    expect((await attempt(await assertion('1'))).status).toBe(401);
    const same = await assertion('2');
    const answers = await Promise.all(Array.from({ length: 5 }, () => attempt(same)));
    expect(answers.map(({ status }) => status).sort()).toEqual([400, 401, 401, 401, 401]);
  });
});
