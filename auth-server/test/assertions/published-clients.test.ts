/** Proves that a client which is known by a URL may present ID-JAGs where the operator named it (EMA §5), and nowhere else. */
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ASSERTION_GRANT } from '../../src/clients/client.ts';
import { WEB } from '../support/client.ts';
import { ClientHost, trustTestCertificate } from '../support/client-host.ts';
import { startEnterprise } from '../support/enterprise.ts';
import { form, ISSUER, read } from '../support/running-server.ts';

trustTestCertificate();
const { privateKey, publicKey } = await generateKeyPair('ES256');
const keyed = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [await exportJWK(publicKey)] } };

let host: ClientHost;
beforeEach(async () => {
  host = await ClientHost.start();
});
afterEach(() => host[Symbol.asyncDispose]());

const start = (env: Record<string, string> = {}) =>
  startEnterprise({ CLIENT_METADATA_PRIVATE_HOSTS: host.name, ...env });

const authenticated = async (id: string) => ({
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(id)
    .setSubject(id)
    .setAudience(ISSUER)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(privateKey),
});

describe('a client that publishes its metadata', () => {
  it('Enterprise-Managed Authorization §5 presents an ID-JAG with private_key_jwt, although its document does not list the grant', async () => {
    const id = host.publish({ redirect_uris: [WEB], ...keyed });
    await using enterprise = await start({ ENTERPRISE_ISSUER_OKTA_CLIENTS: id });
    const assertion = await enterprise.idJag({ client_id: id });
    const asked = { grant_type: ASSERTION_GRANT, assertion, ...(await authenticated(id)) };
    const tokens = await read(await enterprise.server.fetch('/token', form(asked)));
    expect(decodeJwt(String(tokens.access_token))).toMatchObject({ client_id: id });
  });

  it('Enterprise-Managed Authorization §5 presents an ID-JAG without authentication only where the operator allowed it', async () => {
    const id = host.publish({ redirect_uris: [WEB], token_endpoint_auth_method: 'none' });
    const present = async (env: Record<string, string>) => {
      await using enterprise = await start({ ENTERPRISE_ISSUER_OKTA_CLIENTS: id, ...env });
      const assertion = await enterprise.idJag({ client_id: id });
      const asked = { grant_type: ASSERTION_GRANT, assertion, client_id: id };
      return (await enterprise.server.fetch('/token', form(asked))).status;
    };
    expect(await present({})).toBe(400);
    expect(await present({ ENTERPRISE_ISSUER_OKTA_PUBLIC_CLIENTS: 'true' })).toBe(200);
  });

  it('a client that the operator did not name presents none, whatever its document lists', async () => {
    const grants = ['authorization_code', ASSERTION_GRANT];
    const id = host.publish({ redirect_uris: [WEB], grant_types: grants, ...keyed });
    await using enterprise = await start();
    const assertion = await enterprise.idJag({ client_id: id });
    const asked = { grant_type: ASSERTION_GRANT, assertion, ...(await authenticated(id)) };
    const refused = await enterprise.server.fetch('/token', form(asked));
    expect([refused.status, (await read(refused)).error]).toEqual([400, 'unauthorized_client']);
  });
});
