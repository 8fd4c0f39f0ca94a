/** Proves how the keys of a trusted issuer are read: once, again after a change, with a bound, and without a crash while it is down. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createIssuerKeys } from '../../src/assertions/signed/issuer-keys.ts';
import { read } from '../support/running-server.ts';
import { startTrustedIssuer } from '../support/trusted-issuer.ts';
import { Reply } from '../support/upstream-stand-in.ts';
import { startWorkloads } from '../support/workloads.ts';

const clock = () => new FakeClock(Date.now());

describe('the keys of a trusted issuer', () => {
  it('RFC 7517 §4.5 a new key is found, and unknown keys make this server ask at most every 30 seconds', async () => {
    const time = clock();
    await using workloads = await startWorkloads({}, { clock: time });
    const asked = () => workloads.platform.stage.asked.filter((path) => path === '/jwks').length;
    await workloads.present(await workloads.jwt());
    await workloads.present(await workloads.jwt());
    expect(asked()).toBe(1);
    const unknown = await Promise.all(Array.from({ length: 5 }, () => workloads.jwt({}, { kid: 'unknown' })));
    for (const jwt of unknown) expect((await workloads.present(jwt)).status).toBe(400);
    expect(asked()).toBe(1);
    await workloads.platform.rotate('two');
    const signed = await workloads.jwt();
    time.advance(31);
    expect((await workloads.present(signed)).status).toBe(200);
    for (const jwt of unknown) expect((await workloads.present(jwt)).status).toBe(400);
    expect(asked()).toBe(2);
  });

  it('RFC 6749 §5.2 while they cannot be read the client is told to come back, and it is no fault of the client', async () => {
    await using workloads = await startWorkloads();
    workloads.platform.stage.routes.set('/jwks', () => new Reply(500, 'broken'));
    const answer = await workloads.present(await workloads.jwt());
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '30']);
    expect(await read(answer)).toEqual({
      error: 'temporarily_unavailable',
      error_description: 'the issuer of the assertion could not be asked for its keys',
    });
    expect(workloads.server.log.find(({ msg }) => msg === 'keys of a trusted issuer not read')).toMatchObject({
      issuer: 'actions',
      reason: expect.stringContaining('answered 500'),
    });
  });

  it('a host that gives no answer in time, or a redirect, is the same as one that is away', async () => {
    const late: typeof fetch = (input, init) =>
      String(input).endsWith('/jwks')
        ? Promise.reject(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
        : fetch(input, init);
    await using slow = await startWorkloads({}, { fetch: late });
    expect((await slow.present(await slow.jwt())).status).toBe(503);
    await using moved = await startWorkloads();
    moved.platform.stage.redirects.set('/jwks', 'https://elsewhere.example/jwks');
    expect((await moved.present(await moved.jwt())).status).toBe(503);
  });

  it('the copy of the keys is used while the issuer is down', async () => {
    const time = clock();
    await using workloads = await startWorkloads({}, { clock: time });
    const jwt = await workloads.jwt({ exp: Math.floor(Date.now() / 1000) + 80_000 });
    expect((await workloads.present(jwt)).status).toBe(200);
    workloads.platform.stage.routes.set('/jwks', () => new Reply(503, 'down'));
    time.advance(7_200);
    expect((await workloads.present(jwt)).status).toBe(200);
  });

  it('an unknown key is no fault of the client while the newest keys cannot be read', async () => {
    const time = clock();
    await using workloads = await startWorkloads({}, { clock: time });
    const old = await workloads.jwt();
    await workloads.present(old);
    await workloads.platform.rotate('two');
    workloads.platform.stage.routes.set('/jwks', () => new Reply(503, 'down'));
    time.advance(31);
    expect((await workloads.present(await workloads.jwt())).status).toBe(503);
    expect((await workloads.present(old)).status).toBe(200);
  });

  it.each([
    [
      'RFC 8414 §3.3 metadata of another issuer',
      { issuer: 'https://other.example', jwks_uri: 'https://other.example/k' },
    ],
    ['metadata without keys', {}],
    ['metadata that is no object', []],
  ])('%s gives no keys', async (_title, document) => {
    await using workloads = await startWorkloads();
    const metadata = Array.isArray(document) ? document : { issuer: workloads.platform.url, ...document };
    workloads.platform.stage.routes.set('/.well-known/openid-configuration', () => metadata);
    expect((await workloads.present(await workloads.jwt())).status).toBe(503);
  });

  it.each(['http://idp.example/jwks', 'HTTP://idp.example/jwks', 'data:application/json,{}'])(
    'RFC 8414 §2 the keys of an issuer with https are not read at %s',
    async (url) => {
      const asked: string[] = [];
      const keys = createIssuerKeys(
        { issuer: 'https://idp.example' },
        {
          fetch: async (input) => {
            asked.push(String(input));
            return Response.json({ issuer: 'https://idp.example', jwks_uri: url, keys: [] });
          },
          clock: clock(),
          onFailure: () => {},
        },
      );
      await expect(keys.get()).rejects.toThrow('there is no copy');
      expect(asked).toEqual(['https://idp.example/.well-known/openid-configuration']);
    },
  );

  it('RFC 8414 §3 the metadata may be that of an authorization server, and the address of the keys a setting', async () => {
    await using workloads = await startWorkloads();
    const { stage, url } = workloads.platform;
    stage.routes.delete('/.well-known/openid-configuration');
    stage.routes.set('/.well-known/oauth-authorization-server', () => ({ issuer: url, jwks_uri: `${url}/jwks` }));
    expect((await workloads.present(await workloads.jwt())).status).toBe(200);
    await using keys = await startTrustedIssuer();
    await using named = await startWorkloads({ env: { WORKLOAD_ISSUER_ACTIONS_JWKS_URL: `${keys.url}/jwks` } });
    const jwt = await keys.sign(
      {
        iss: named.platform.url,
        aud: named.server.issuer,
        sub: 'repo:acme/app:ref:refs/heads/main',
        repository_owner: 'acme',
      },
      { typ: 'JWT' },
    );
    expect((await named.present(jwt)).status).toBe(200);
    expect(named.platform.stage.asked).toEqual([]);
  });
});
