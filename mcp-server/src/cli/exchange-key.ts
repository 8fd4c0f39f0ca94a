/** Owns `exchange-key`: a new key by which this server exchanges tokens (RFC 7523 §2.2). */
import type { Command } from '@mcp-oauth/shared/cli/command';
import { newKey } from '../upstream/own-key.ts';

export const exchangeKeyCommand = (): Command => ({
  name: 'exchange-key',
  summary: 'Print a new private key for EXCHANGE_KEY.',
  details:
    'The key is a JWK on one line (P-256). Give it to all replicas as a secret: EXCHANGE_KEY, or a file named by EXCHANGE_KEY_FILE. The issuer reads the public half at <PUBLIC_URL>/.well-known/jwks.json: it is the jwks_uri of the client EXCHANGE_CLIENT_ID.',
  run: async ({ stdout }) => {
    stdout.write(`${JSON.stringify(await newKey())}\n`);
    return 0;
  },
});
