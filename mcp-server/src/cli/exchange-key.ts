/** Owns `exchange-key`: a new key by which this server exchanges tokens (RFC 7523 §2.2), and what the issuer needs of it. */
import type { Command } from '@mcp-oauth/shared/cli/command';
import { StartError } from '@mcp-oauth/shared/errors';
import { type Environment, loadConfig } from '@mcp-oauth/shared/settings/config';
import { settings } from '../config.ts';
import { clientOf, newKey, publicKeysOf } from '../upstream/own-key.ts';

export const exchangeKeyCommand = (): Command => ({
  name: 'exchange-key',
  summary: 'Print a new private key for EXCHANGE_KEY, or what the issuer needs to know it.',
  details:
    'The key is a JWK on one line (P-256). Give it to all replicas as a secret: EXCHANGE_KEY, or a file named by EXCHANGE_KEY_FILE. With --client the command prints CLIENTS of auth-server. An issuer that reaches this server over https may have <PUBLIC_URL>/.well-known/jwks.json as `jwks_uri` of that client instead.',
  options: {
    client: {
      type: 'boolean',
      doc: 'Print instead the client of this server at auth-server, with the public half of EXCHANGE_KEY: a value of CLIENTS, or the content of CLIENTS_FILE.',
    },
    public: {
      type: 'boolean',
      doc: 'Print instead the public half of EXCHANGE_KEY alone, a JWK Set: `jwks` of the client at another issuer.',
    },
  },
  run: async ({ env, options, stdout }) => {
    stdout.write(`${JSON.stringify(await printed(options, env))}\n`);
    return 0;
  },
});

async function printed({ client, public: isPublic }: Readonly<Record<string, unknown>>, env: Environment) {
  if (!client && !isPublic) return newKey();
  // No other setting is read: the key is made before the others are there.
  const { exchangeKeys: keys, exchangeClientId: clientId } = settings;
  const read = loadConfig({ keys, clientId }, env);
  if (!read.keys) throw new StartError('EXCHANGE_KEY: is not set');
  return isPublic ? publicKeysOf(read.keys) : [clientOf(read.clientId, read.keys)];
}
