/** Proves that token exchange (RFC 8693) and assertions (RFC 7523) are grants that only clients of the operator may have. */
import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { ASSERTION_GRANT, EXCHANGE_GRANT } from '../../../src/clients/client.ts';
import { applyClientPolicy } from '../../../src/provider/clients/policy.ts';
import { WEB } from '../../support/client.ts';
import { json, read, startServer } from '../../support/running-server.ts';

const BOTH = [EXCHANGE_GRANT, ASSERTION_GRANT];
const { publicKey } = await generateKeyPair('ES256');
const keyed = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [await exportJWK(publicKey)] } } as const;

function granted(grants: readonly string[], standing: { isPreRegistered?: boolean; moreGrants?: readonly string[] }) {
  const metadata = { client_id: 'mcp-server', ...keyed, redirect_uris: [WEB], grant_types: [...grants] };
  applyClientPolicy(metadata, {
    isFetchable: () => true,
    isPreRegistered: true,
    hasDeviceGrant: false,
    moreGrants: BOTH,
    namedGrants: [],
    ...standing,
  });
  return metadata.grant_types;
}

describe('grants for clients of the operator alone', () => {
  it('RFC 8693 §2.1, RFC 7523 §2.1 a client of the operator has the grants that are configured for it', () => {
    expect(granted(BOTH, {})).toEqual(BOTH);
    expect(granted([EXCHANGE_GRANT], {})).toEqual([EXCHANGE_GRANT]);
  });

  it('a client of the operator does not have a grant that this server does not offer', () => {
    expect(granted(['client_credentials', ...BOTH], { moreGrants: [ASSERTION_GRANT] })).toEqual([
      'client_credentials',
      ASSERTION_GRANT,
    ]);
    expect(() => granted([EXCHANGE_GRANT], { moreGrants: [] })).toThrow(
      expect.objectContaining({ error_description: expect.stringContaining('grant_types must contain') }),
    );
  });

  it('RFC 7591 §5 a client that the operator did not write down never has them', () => {
    const stranger = { isPreRegistered: false };
    expect(granted(['authorization_code', ...BOTH], stranger)).toEqual(['authorization_code']);
    expect(() => granted(BOTH, stranger)).toThrow(
      expect.objectContaining({ error_description: 'grant_types must contain authorization_code or refresh_token' }),
    );
  });

  it('RFC 7591 §2 a registration with them is answered without them, and one with nothing else is refused', async () => {
    await using server = await startServer();
    const register = (grants: readonly string[]) =>
      server.fetch('/register', json({ ...keyed, redirect_uris: [WEB], grant_types: grants }));
    expect((await read(await register(['authorization_code', ...BOTH]))).grant_types).toEqual(['authorization_code']);
    expect((await register(BOTH)).status).toBe(400);
  });
});
