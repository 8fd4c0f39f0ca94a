/** Proves, for any request, that restated metadata loses nothing but `resource`, and registers no redirect URI that the operator did not name. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutResource } from '../../src/authorization/issuer/restated/metadata.ts';
import { isRefused, register } from '../../src/authorization/issuer/restated/registration.ts';

const NAMES = fc.oneof(fc.constantFrom('resource', 'redirect_uri', 'state', 'Resource', 'resource[]', ''), fc.string());
const PARAMETERS = fc.array(fc.tuple(NAMES, fc.string()) as fc.Arbitrary<[string, string]>);

describe('RFC 8707 §2 an authorization request without resource', () => {
  it('every parameter of any request but resource is there, in its order, with its value', () => {
    fc.assert(
      fc.property(PARAMETERS, (parameters) => {
        const rest = parameters.filter(([name]) => name !== 'resource');
        const sent = new URLSearchParams(parameters);
        expect([...new URLSearchParams(`&${withoutResource(sent.toString())}`)]).toEqual([
          ...new URLSearchParams(`&${new URLSearchParams(rest)}`),
        ]);
      }),
    );
  });

  it('what is left of any text has no parameter resource, and its parts are parts of the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const left = withoutResource(text);
        expect(new URLSearchParams(`&${left}`).has('resource')).toBe(false);
        if (left) for (const part of left.split('&')) expect(text.split('&')).toContain(part);
      }),
    );
  });
});

describe('RFC 7591 §3.2.2 a registration with the one client of an issuer', () => {
  const client = { id: 'mcp-client', redirectUris: ['http://localhost/callback', 'https://claude.ai/callback'] };
  const uris = fc.array(
    fc.oneof(
      fc.constantFrom(...client.redirectUris),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.nat(99_999).map((port) => `http://localhost:${port}/callback`),
      fc.string(),
    ),
  );

  it('any redirect URI that is registered is one of the operator, or the same on another port of loopback', () => {
    fc.assert(
      fc.property(uris, (redirectUris) => {
        const answer = register({ redirect_uris: redirectUris }, client);
        if (isRefused(answer)) return;
        for (const uri of answer.redirect_uris)
          expect(uri).toMatch(/^(http:\/\/localhost(:\d{1,5})?\/callback|https:\/\/claude\.ai\/callback)$/);
      }),
    );
  });

  it('any JSON is answered: with the client, without a secret, or with an error of RFC 7591', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ redirect_uris: fc.jsonValue() })), (body) => {
        const answer = register(body, client);
        if (isRefused(answer)) expect(answer.error).toMatch(/^invalid_(redirect_uri|client_metadata)$/);
        else expect(answer).toMatchObject({ client_id: 'mcp-client', token_endpoint_auth_method: 'none' });
        expect(answer).not.toHaveProperty('client_secret');
      }),
    );
  });
});
