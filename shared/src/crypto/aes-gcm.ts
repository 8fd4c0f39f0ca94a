/**
 * Owns authenticated encryption: AES-256-GCM with a random nonce and a context (NIST SP 800-38D). The caller decides how the
 * result is encoded.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';

/** Bytes. */
export const NONCE_LENGTH = 12;
export const TAG_LENGTH = 16;

export interface Encrypted {
  readonly nonce: Buffer;
  readonly text: Buffer;
  readonly tag: Buffer;
}

/**
 * @param key 32 bytes
 * @param context decryption requires the same context
 */
export function encrypt(key: Uint8Array, text: string, context: string): Encrypted {
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_LENGTH }).setAAD(Buffer.from(context));
  const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return { nonce, text: encrypted, tag: cipher.getAuthTag() };
}

/** @returns `undefined` if the text was not encrypted with this key and context, or was changed */
export function decrypt(key: Uint8Array, { nonce, text, tag }: Encrypted, context: string): string | undefined {
  if (nonce.length !== NONCE_LENGTH || tag.length !== TAG_LENGTH) return undefined;
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_LENGTH });
  decipher.setAAD(Buffer.from(context)).setAuthTag(tag);
  try {
    return decipher.update(text, undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}
