/** Proves where the metadata of an issuer is looked up, and which metadata is refused (RFC 8414 §3). */

import { fetchJson, reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { createPlace } from '@mcp-oauth/shared/network/place';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createIssuerMetadata, metadataUrls } from '../../../src/authorization/issuer/issuer-metadata.ts';
import { createKeySource } from '../../../src/authorization/issuer/key-source.ts';
import { firstKey } from '../../support/issuer.ts';

describe('RFC 8414 §3.1, OpenID Connect Discovery §4 the location of metadata', () => {
  it.each([
    [
      'https://auth.example.com',
      [
        'https://auth.example.com/.well-known/oauth-authorization-server',
        'https://auth.example.com/.well-known/openid-configuration',
      ],
    ],
    [
      'https://tenant.auth0.com/',
      [
        'https://tenant.auth0.com/.well-known/oauth-authorization-server',
        'https://tenant.auth0.com/.well-known/openid-configuration',
      ],
    ],
    [
      'https://idp.example.com/realms/one',
      [
        'https://idp.example.com/.well-known/oauth-authorization-server/realms/one',
        'https://idp.example.com/.well-known/openid-configuration/realms/one',
        'https://idp.example.com/realms/one/.well-known/openid-configuration',
      ],
    ],
  ])('the metadata of %s has the right URLs', (issuer, urls) => {
    expect(metadataUrls(issuer)).toEqual(urls);
  });
});

/** A network of documents by URL; `undefined` is a 404. */
const network = (documents: Record<string, unknown>, asked: string[] = []) =>
  (async (input: string | URL | Request) => {
    asked.push(String(input));
    const document = documents[String(input)];
    return document === undefined ? new Response('', { status: 404 }) : Response.json(document);
  }) as typeof fetch;

const issuer = 'https://idp.example.com/realms/one';
const source = (fetch: typeof globalThis.fetch, failures: unknown[] = []) =>
  createIssuerMetadata({ issuer, fetch, clock: new FakeClock(), onFailure: (error) => failures.push(error) });

describe('the metadata of an issuer', () => {
  it('metadata is taken from the last location when the others have none', async () => {
    const asked: string[] = [];
    const document = { issuer, jwks_uri: `${issuer}/keys` };
    const metadata = source(network({ [`${issuer}/.well-known/openid-configuration`]: document }, asked));
    expect(await metadata.get()).toEqual(document);
    expect(asked).toHaveLength(3);
  });

  it.each([
    ['of another issuer', { issuer: 'https://evil.example' }],
    ['of nearly the same issuer', { issuer: `${issuer}/` }],
    ['without an issuer', {}],
    ['with an endpoint that is no URL', { issuer, token_endpoint: 'javascript:alert(1)' }],
    ['that is no object', []],
  ])('RFC 8414 §3.3 metadata is refused %s', async (_, document) => {
    const failures: unknown[] = [];
    const documents = Object.fromEntries(metadataUrls(issuer).map((url) => [url, document]));
    await expect(source(network(documents), failures).get()).rejects.toThrow();
    expect(failures).toHaveLength(1);
  });

  it.each([null, '', 'n/a', '/relative', 5, ['https://a.example'], {}])(
    'RFC 8414 §2 metadata with an invalid endpoint (%j) is used without that endpoint',
    async (value) => {
      const document = { issuer, jwks_uri: `${issuer}/keys`, token_endpoint: value, scopes_supported: [null, 5] };
      const documents = { [metadataUrls(issuer)[0] ?? '']: document };
      expect(await source(network(documents)).get()).toEqual({ ...document, token_endpoint: undefined });
    },
  );

  it('metadata of an https issuer may not name a jwks_uri with http', async () => {
    const failures: unknown[] = [];
    const clock = new FakeClock();
    const documents = { [metadataUrls(issuer)[0] ?? '']: { issuer, jwks_uri: 'http://idp.example.com/keys' } };
    const fetch = network(documents);
    const onFailure = (error: unknown) => void failures.push(error);
    const keys = createKeySource({ jwksUrl: undefined, metadata: source(fetch), fetch, clock, maxAge: 300, onFailure });
    await expect(firstKey(keys, 'a')).rejects.toMatchObject({ reason: 'keys_unavailable' });
    expect(reasonOf(failures[0])).toContain('is not https');
  });
});

describe('an issuer with an internal URL', () => {
  const internalUrl = 'http://idp:8080/auth/realms/one';
  const place = createPlace(issuer, internalUrl);
  const keySourceWith = (documents: Record<string, unknown>, asked: string[], failures: unknown[] = []) => {
    const onFailure = (error: unknown) => void failures.push(error);
    const parts = { fetch: network(documents, asked), clock: new FakeClock(), onFailure };
    const metadata = createIssuerMetadata({ issuer, internalUrl, ...parts });
    return {
      metadata,
      keys: createKeySource({ jwksUrl: undefined, metadata, inside: place.inside, maxAge: 300, ...parts }),
    };
  };

  it.each([
    ['its public URL', issuer],
    ['the host that was asked', internalUrl],
  ])(
    'RFC 8414 §3 metadata and keys are read at the internal URL, whether metadata names endpoints by %s',
    async (_, base) => {
      const asked: string[] = [];
      const said = { issuer, jwks_uri: `${base}/keys`, token_endpoint: `${base}/token` };
      const documents = {
        'http://idp:8080/.well-known/oauth-authorization-server/auth/realms/one': said,
        [`${internalUrl}/keys`]: { keys: [] },
      };
      const { metadata, keys } = keySourceWith(documents, asked);
      await expect(firstKey(keys, 'a')).rejects.toMatchObject({ reason: 'unknown_key' });
      expect(asked).toEqual(Object.keys(documents));
      expect(await metadata.get()).toEqual({ issuer, jwks_uri: `${issuer}/keys`, token_endpoint: `${issuer}/token` });
    },
  );

  it('RFC 8414 §3.3 metadata at the internal URL must name the public issuer', async () => {
    const failures: unknown[] = [];
    const documents = Object.fromEntries(metadataUrls(internalUrl).map((url) => [url, { issuer: internalUrl }]));
    const { keys } = keySourceWith(documents, [], failures);
    await expect(firstKey(keys, 'a')).rejects.toMatchObject({ reason: 'keys_unavailable' });
    expect(reasonOf(failures[0])).toContain(`names the issuer "${internalUrl}"`);
  });

  it('metadata may name http keys at the internal URL only', async () => {
    const failures: unknown[] = [];
    const asked: string[] = [];
    const [place = ''] = metadataUrls(internalUrl);
    const { keys } = keySourceWith({ [place]: { issuer, jwks_uri: 'http://other:8080/keys' } }, asked, failures);
    await expect(firstKey(keys, 'a')).rejects.toMatchObject({ reason: 'keys_unavailable' });
    expect(asked).toEqual([place]);
  });
});

describe('a fetched document', () => {
  it('a document that is too large is refused before it is read completely', async () => {
    let sent = 0;
    const endless = new ReadableStream({
      pull: (controller) => {
        sent += 1;
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    const fetch = async () => new Response(endless);
    await expect(fetchJson(fetch as typeof globalThis.fetch, 'https://a.example/keys')).rejects.toThrow('larger than');
    expect(sent).toBeLessThan(20);
  });

  it("a failed fetch is reported with the network's reason", async () => {
    const error = await fetchJson(fetch, 'http://127.0.0.1:1/keys').catch((reason: unknown) => reason);
    expect(reasonOf(error)).toMatch(/fetch failed: .+/);
  });
});
