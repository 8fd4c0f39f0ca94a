/** Owns the list of overlays, and the secret files that an operator makes for each. */
import type { SecretFiles } from './manifest.ts';

export const OVERLAYS = ['example', 'trial', 'existing-issuer'] as const;

const key = (letter: string) =>
  `${Buffer.from(letter.repeat(16) + letter.toUpperCase().repeat(16)).toString('base64')}\n`;

export function secretsOf(overlay: string): SecretFiles {
  if (overlay === 'existing-issuer') return { 'existing-issuer/secrets/redis-mcp-server': key('m') };
  // `trial` extends `example`.
  return {
    'example/secrets/redis-mcp-server': key('m'),
    'example/secrets/redis-auth-server': key('a'),
    'example/secrets/storage-keys': key('s'),
    'example/secrets/connector-acme-client-secret': key('c'),
  };
}
