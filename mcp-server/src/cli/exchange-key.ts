/** Owns `exchange-key`: a new key by which this server exchanges tokens (RFC 7523 §2.2). */
import type { Command } from '@mcp-oauth/shared/cli/command';
import { StartError } from '@mcp-oauth/shared/errors';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { readConfig } from '../config.ts';
import { newKey, publicKeysOf } from '../upstream/own-key.ts';

export const exchangeKeyCommand = (): Command => ({
  name: 'exchange-key',
  summary: 'Print a new private key for EXCHANGE_KEY.',
  details:
    'The key is a JWK on one line (P-256). Give it to all replicas as a secret: EXCHANGE_KEY, or a file named by EXCHANGE_KEY_FILE. The issuer reads the public half at <PUBLIC_URL>/.well-known/jwks.json: it is the jwks_uri of the client EXCHANGE_CLIENT_ID.',
  options: {
    public: {
      type: 'boolean',
      doc: 'Print the public half of EXCHANGE_KEY instead, a JWK Set: `jwks` of the client, for an issuer that cannot reach this server.',
    },
  },
  run: async ({ env, options, stdout }) => {
    stdout.write(`${JSON.stringify(options.public ? publicHalf(env) : await newKey())}\n`);
    return 0;
  },
});

function publicHalf(env: Environment): object {
  const { exchangeKeys } = readConfig(env);
  if (!exchangeKeys) throw new StartError('EXCHANGE_KEY: is not set');
  return publicKeysOf(exchangeKeys);
}
