/** Proves that a new key for exchanges can be used as it is printed. */
import { run } from '@mcp-oauth/shared/testing/terminal';
import { calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from 'vitest';
import { createCommands } from '../../src/cli/commands.ts';
import { readConfig } from '../../src/config.ts';

describe('exchange-key', () => {
  it('RFC 7517 §4 exchange-key prints a private key on one line, named by its thumbprint, that EXCHANGE_KEY takes', async () => {
    const commands = createCommands(async () => {});
    const { status, stdout } = await run(commands, 'exchange-key');
    expect([status, stdout.trim().split('\n').length]).toEqual([0, 1]);
    const key = JSON.parse(stdout);
    expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', d: expect.any(String) });
    expect(key.kid).toBe(await calculateJwkThumbprint(key));
    expect(readConfig({ EXCHANGE_KEY: stdout }).exchangeKeys).toMatchObject([{ alg: 'ES256', kid: key.kid }]);
    expect((await run(commands, 'exchange-key')).stdout).not.toBe(stdout);
  });

  it('RFC 7517 §5 exchange-key --public prints what the server publishes, and no private member', async () => {
    const commands = createCommands(async () => {});
    const { stdout: key } = await run(commands, 'exchange-key');
    const { stdout } = await run(commands, 'exchange-key --public', { EXCHANGE_KEY: key });
    const { d, ...rest } = JSON.parse(key);
    expect(JSON.parse(stdout)).toEqual({ keys: [rest] });
    expect(stdout).not.toContain(d);
    const without = await run(commands, 'exchange-key --public');
    expect([without.status, without.stderr]).toEqual([1, expect.stringContaining('EXCHANGE_KEY: is not set')]);
  });

  it('RFC 7591 §2 exchange-key --client prints the CLIENTS with which auth-server knows this server', async () => {
    const commands = createCommands(async () => {});
    const { stdout: key } = await run(commands, 'exchange-key');
    // As in the image, before the operator has set anything else.
    const env = { NODE_ENV: 'production', EXCHANGE_KEY: key, EXCHANGE_CLIENT_ID: 'billing-server' };
    const { stdout } = await run(commands, 'exchange-key --client', env);
    expect(JSON.parse(stdout)).toEqual([
      {
        client_id: 'billing-server',
        token_endpoint_auth_method: 'private_key_jwt',
        grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'],
        jwks: JSON.parse((await run(commands, 'exchange-key --public', env)).stdout),
      },
    ]);
    expect(stdout).not.toContain(JSON.parse(key).d);
  });
});
