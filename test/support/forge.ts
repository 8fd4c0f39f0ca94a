/**
 * Owns access tokens that auth-server would never issue, some signed with its own key: the worst that a client can
 * send.
 */
import { createHmac, createPublicKey, type JsonWebKey, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '@mcp-oauth/shared/clock';
import { generateKeyPair, importJWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { createKeyStore } from '../../auth-server/src/keys/key-store.ts';
import { createSqliteStore } from '../../auth-server/src/storage/sqlite.ts';
import type { Stack } from './stack.ts';

export interface Forger {
  /** Signed with the real key; the given claims and header replace valid ones. */
  sign(claims?: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** Signed with an unpublished key, under the real `kid`. */
  signWithStrangeKey(): Promise<string>;
  unsigned(): string;
  /** HS256 with the public key as the secret (RFC 8725 §2.1). */
  signWithPublicKey(): Promise<string>;
}

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function forger(stack: Stack): Promise<Forger> {
  const store = createSqliteStore(join(stack.dataDir, 'auth-server.sqlite'), systemClock);
  const jwk = (await createKeyStore(store).load())?.ring[0].key;
  await store.close();
  if (!jwk) throw new Error('the server has no keys yet');
  const now = Math.floor(Date.now() / 1000);
  const good: JWTPayload = {
    iss: stack.authUrl,
    aud: `${stack.mcpUrl}/mcp`,
    sub: 'somebody',
    client_id: 'sample',
    scope: 'mcp:tools',
    jti: randomUUID(),
    iat: now,
    exp: now + 600,
  };
  const protectedHeader = { alg: 'ES256', typ: 'at+jwt', kid: jwk.kid };
  return {
    sign: async (claims = {}, header = {}) =>
      new SignJWT({ ...good, ...claims })
        .setProtectedHeader({ ...protectedHeader, ...header })
        .sign(await importJWK(jwk, 'ES256')),
    signWithStrangeKey: async () => {
      const { privateKey } = await generateKeyPair('ES256');
      return new SignJWT(good).setProtectedHeader(protectedHeader).sign(privateKey);
    },
    unsigned: () => `${base64({ ...protectedHeader, alg: 'none' })}.${base64(good)}.`,
    signWithPublicKey: async () => {
      const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
      const head = `${base64({ ...protectedHeader, alg: 'HS256' })}.${base64(good)}`;
      const secret = key.export({ type: 'spki', format: 'pem' });
      return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
    },
  };
}
