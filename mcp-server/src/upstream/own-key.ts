/** Owns the keys by which this server identifies itself: the setting, what issuers know of them (RFC 9728 §2), and new keys. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import { z } from 'zod';
import { type ClientKey, clientKey } from '../authorization/introspection/credentials.ts';

/** RFC 7517 §5, as a document of `jwks_uri`. */
interface PublicKeys {
  readonly keys: readonly JWK[];
}

/** The first one signs. The others are published, so that issuers know a new key before it signs, and an old one until its last use. */
export type OwnKeys = readonly [ClientKey, ...ClientKey[]];

/** A setting: one private key, or a JWK Set of them (RFC 7517 §5) while keys change. */
export const ownKeys = (): z.ZodType<OwnKeys, string> =>
  z.string().transform((text, context): OwnKeys => {
    const [first, ...others] = membersOf(text).map((one) => clientKey().safeParse(one));
    if (!first?.success) return refused(context, first?.error?.issues[0]?.message ?? 'expected at least one key');
    const all: OwnKeys = [first.data, ...others.flatMap(({ data }) => data ?? [])];
    if (all.length <= others.length) return refused(context, 'one of the keys is none that can be used');
    const names = new Set(all.map(({ kid }) => kid));
    if (all.length > 1 && (names.size < all.length || names.has(undefined))) {
      return refused(context, 'each of several keys needs a kid of its own');
    }
    return all;
  });

function refused(context: z.RefinementCtx<string>, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

/** The texts of the keys. */
function membersOf(text: string): readonly string[] {
  try {
    const { keys } = JSON.parse(text);
    return Array.isArray(keys) ? keys.map((one) => JSON.stringify(one)) : [text];
  } catch {
    return [text];
  }
}

/** RFC 7517 §4: only the public members, whatever the setting has. */
export const publicKeysOf = (keys: OwnKeys): PublicKeys => ({
  keys: keys.map(({ key, alg, kid }) => ({ ...publicJwk(key), alg, use: 'sig', ...(kid !== undefined && { kid }) })),
});

/** RFC 8693 §2.1 */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** What an issuer must know of this server (RFC 7591 §2). */
export const clientOf = (clientId: string, keys: OwnKeys): object => ({
  client_id: clientId,
  token_endpoint_auth_method: 'private_key_jwt',
  grant_types: [TOKEN_EXCHANGE],
  jwks: publicKeysOf(keys),
});

/** The key in the header of a proof (RFC 9449 §4.2). */
export const publicJwk = (key: ClientKey['key']): JWK => createPublicKey(key).export({ format: 'jwk' }) as JWK;

/** A new private key as a JWK, named by its thumbprint (RFC 7638). */
export async function newKey(): Promise<JWK> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = privateKey.export({ format: 'jwk' }) as JWK;
  return { ...jwk, alg: 'ES256', use: 'sig', kid: await calculateJwkThumbprint(jwk) };
}
