/**
 * Owns sealing: a client can neither read nor change a sealed text, nor use it in another context (NIST SP
 * 800-38D).
 */
import { decrypt, encrypt, NONCE_LENGTH, TAG_LENGTH } from '@mcp-oauth/shared/crypto/aes-gcm';
import type { SealingKeys } from './sealing-keys.ts';

const SHORTEST = NONCE_LENGTH + TAG_LENGTH;

/** @param context unsealing requires the same context */
export async function seal(keys: SealingKeys, text: string, context: string): Promise<string> {
  const { id, secret } = await keys.current();
  const { nonce, text: encrypted, tag } = encrypt(secret, text, context);
  return `${id}.${Buffer.concat([nonce, encrypted, tag]).toString('base64url')}`;
}

/** @returns nothing for a text that was not sealed by this server for this context with a known key */
export async function unseal(keys: SealingKeys, sealed: string, context: string): Promise<string | undefined> {
  const [id = '', encoded = '', ...rest] = sealed.split('.');
  const bytes = Buffer.from(encoded, 'base64url');
  // Accepts one encoding only: node would ignore characters that are not Base64url.
  if (rest.length > 0 || bytes.length < SHORTEST || bytes.toString('base64url') !== encoded) return undefined;
  const key = await keys.find(id);
  if (!key) return undefined;
  const [nonce, tag] = [bytes.subarray(0, NONCE_LENGTH), bytes.subarray(-TAG_LENGTH)];
  return decrypt(key.secret, { nonce, text: bytes.subarray(NONCE_LENGTH, -TAG_LENGTH), tag }, context);
}
