/** Proves what the form of an access token refuses, as the engine does without the override. */
import Provider from 'oidc-provider';
import { describe, expect, it } from 'vitest';
import { generateSigningKey } from '../../../src/keys/signing-key.ts';
import { formAccessTokens } from '../../../src/provider/overrides/token/access-token-form.ts';

const ISSUER = 'https://as.example';
type Model = new (input: object) => { aud?: string; getValueAndPayload(): Promise<{ readonly value: string }> };

const provider = new Provider(ISSUER, { clients: [] });
const key = await generateSigningKey('ES256');
formAccessTokens(provider, { issuer: ISSUER, key, claims: async () => undefined });

describe.each(['AccessToken', 'ClientCredentials'])('the model %s of the engine', (name) => {
  const create = () =>
    new (Reflect.get(provider, name) as Model)({ jti: 'id', clientId: 'client', accountId: 'person', expiresIn: 60 });

  it(`${name} without an audience is not signed`, async () => {
    await expect(create().getValueAndPayload()).rejects.toThrow('without an audience');
  });

  it(`${name} with an audience is signed`, async () => {
    const { value } = await Object.assign(create(), { aud: 'https://rs.example/mcp' }).getValueAndPayload();
    expect(value.split('.')).toHaveLength(3);
  });
});
