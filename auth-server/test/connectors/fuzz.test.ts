/**
 * Proves that every answer of an upstream results in an identity or in an UpstreamError that is safe to log: no crash,
 * no secret.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import github from '../../src/connectors/github.connector.ts';
import { type Connector, type Identity, UpstreamError } from '../../src/federation/connector.ts';
import { logged, toUpstreamError } from '../../src/federation/failure.ts';
import { acceptIdentity, localSubject } from '../../src/federation/subject.ts';
import { CALLBACK, checks } from '../contracts/connector.contract.ts';
import { metadata, open, publicKey, sign } from '../support/oidc-stand-in.ts';
import { openKind } from '../support/preset-stand-in.ts';
import { TENANT, VENDORS } from '../support/vendors.ts';

const ISSUER = 'http://localhost:1';
const SECRET = 'client-secret-of-this-test';
const CODE = 'code-of-this-login';

type Answers = Readonly<Record<string, unknown>>;

/** An upstream without a network: a value is answered as JSON, a Response unchanged. */
const fetchFrom =
  (answers: Answers): typeof fetch =>
  async (input) => {
    const answer = answers[new URL(String(input)).pathname];
    return answer instanceof Response ? answer.clone() : new Response(JSON.stringify(answer) ?? 'undefined');
  };

async function attempt(
  connector: Connector,
  parameters: Readonly<Record<string, string>>,
): Promise<Identity | undefined> {
  const answer = new URL(`${CALLBACK}?${new URLSearchParams({ state: checks.state, code: CODE, ...parameters })}`);
  try {
    await connector.begin(checks);
    return acceptIdentity((await connector.finish(answer, checks)).identity);
  } catch (error) {
    expect(error).toBeInstanceOf(UpstreamError);
    const secrets = [SECRET, CODE, checks.state, checks.nonce, checks.codeVerifier];
    const line = JSON.stringify(logged(toUpstreamError(error), secrets));
    for (const secret of secrets) expect(line).not.toContain(secret);
    expect(line.length).toBeLessThan(20_000);
    return undefined;
  }
}

/** Answers between empty and nearly valid. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, '', 0, -1, true, false, [], {}, [null], 'x'.repeat(3_000), '\u0000', '\ud83d', 2 ** 60),
  fc.constantFrom<unknown>(SECRET, CODE, checks.nonce, [SECRET], { a: CODE }, `eyJ${'a'.repeat(20)}.b.c`),
  fc.jsonValue({ maxDepth: 3 }),
); // biome-ignore format: one row each

/** A valid answer with some odd members. */
const spoiled = (members: readonly string[]): fc.Arbitrary<Readonly<Record<string, unknown>>> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.dictionary(fc.constantFrom(...members), odd, { maxKeys: 3 }).map((spoils) => ({ ...spoils })),
    },
  );

const body = <T>(answer: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 18, arbitrary: answer as fc.Arbitrary<unknown> },
    { weight: 1, arbitrary: odd },
    {
      weight: 1,
      arbitrary: fc
        .record({ text: fc.string(), status: fc.constantFrom(200, 201, 204, 302, 400, 401, 403, 404, 418, 429, 500), location: fc.webUrl() })
        .map(({ text, status, location }) => new Response(status === 204 ? null : text, { status, headers: { location } })),
    },
  ); // biome-ignore format: one row each

const parameters = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.dictionary(
      fc.constantFrom('error', 'error_description', 'iss', 'code', 'user', 'session_state'),
      fc.oneof(
        fc.constantFrom('', ISSUER, 'access_denied', 'invalid_scope', SECRET, '{"name":{"firstName":"A"}}'),
        fc.string(),
      ),
      { maxKeys: 2 },
    ),
  },
);

const runs = { numRuns: 200 };

/** There are rules of every type, so everything is asked. */
const needs = { has: () => true };

/** What rules compare is a list of texts, whatever the upstream sent. */
function expectTexts({ verifiedEmails, memberships = {}, incomplete = {} }: Identity) {
  const lists = [verifiedEmails, ...Object.values(memberships), Object.values(incomplete)];
  for (const value of lists.flat()) expect(value).toBeTypeOf('string');
}

describe('arbitrary answers of an upstream', () => {
  it('an OpenID provider signs in its person or fails with a reason', async () => {
    const right = { sub: 'alice', iss: ISSUER, aud: 'client', nonce: checks.nonce };
    let signedIn = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          discovery: body(spoiled(Object.keys(metadata(ISSUER)).concat('id_token_signing_alg_values_supported'))),
          token: body(
            spoiled(['access_token', 'token_type', 'id_token', 'refresh_token', 'scope', 'expires_in', 'error']),
          ),
          claims: spoiled([
            'sub',
            'iss',
            'aud',
            'azp',
            'exp',
            'iat',
            'nbf',
            'nonce',
            'auth_time',
            'name',
            'email',
            'groups',
            'roles',
          ]),
          header: spoiled(['kid', 'typ', 'crit']),
          keys: body(fc.array(spoiled(['kty', 'kid', 'alg', 'use', 'n', 'e', 'key_ops', 'd']), { maxLength: 4 })),
          userinfo: body(spoiled(['sub', 'name', 'email', 'email_verified', 'groups', 'roles'])),
          parameters,
        }),
        async ({ discovery, token, claims, header, keys, userinfo, parameters }) => {
          const now = Math.floor(Date.now() / 1_000);
          const jwk = { ...(await publicKey), kid: '1' };
          const id_token = await sign({ iat: now, exp: now + 60, ...right, ...claims }, header).catch(
            () => 'unsignable',
          );
          const merged = (usual: object, value: unknown) =>
            value instanceof Response || typeof value !== 'object' || value === null || Array.isArray(value)
              ? value
              : { ...usual, ...value };
          const list = Array.isArray(keys) ? [...keys, jwk] : keys;
          const answers = {
            '/.well-known/openid-configuration': merged(metadata(ISSUER), discovery),
            '/token': merged({ access_token: 'a', token_type: 'bearer', id_token }, token),
            '/jwks': Array.isArray(list) ? { keys: list } : list,
            '/userinfo': merged({ sub: 'alice' }, userinfo),
          };
          const connector = open(ISSUER, { clientSecret: SECRET }, { fetch: fetchFrom(answers), needs });
          const identity = await attempt(connector, parameters);
          if (!identity) return;
          signedIn += 1;
          expectTexts(identity);
          expect(identity).toMatchObject({ issuer: ISSUER, subject: claims.sub ?? 'alice' });
          expect(localSubject(identity)).toMatch(/^[\w-]{43}$/);
        },
      ),
      runs,
    );
    expect(signedIn).toBeGreaterThan(0);
  });

  it('GitHub signs in its person or fails with a reason', async () => {
    let signedIn = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          token: body(spoiled(['access_token', 'token_type', 'scope', 'error', 'error_description'])),
          user: body(spoiled(['id', 'login', 'name', 'email'])),
          emails: body(fc.array(spoiled(['email', 'primary', 'verified']), { maxLength: 3 })),
          orgs: body(fc.array(spoiled(['id', 'login']), { maxLength: 3 })),
          teams: body(fc.array(spoiled(['id', 'slug', 'organization']), { maxLength: 3 })),
          parameters,
        }),
        async ({ token, user, emails, orgs, teams, parameters }) => {
          const merged = (usual: object, value: unknown) =>
            value instanceof Response || typeof value !== 'object' || value === null ? value : { ...usual, ...value };
          const answers = {
            '/login/oauth/access_token': merged({ access_token: 'gho_1' }, token),
            '/user': merged({ id: 7, login: 'octocat' }, user),
            '/user/emails': emails,
            '/user/orgs': orgs,
            '/user/teams': teams,
          };
          const values = { clientId: 'client', clientSecret: SECRET, baseUrl: ISSUER, apiUrl: ISSUER, timeout: 60 };
          const context = { callbackUrl: CALLBACK, fetch: fetchFrom(answers), needs };
          const identity = await attempt(github.open(values, context), parameters);
          if (!identity) return;
          signedIn += 1;
          expectTexts(identity);
          expect(identity.issuer).toBe(ISSUER);
          expect(identity.subject).toMatch(/^[1-9]\d*$/);
        },
      ),
      runs,
    );
    expect(signedIn).toBeGreaterThan(0);
  });

  it('Entra signs in its person or fails with a reason', async () => {
    let signedIn = 0;
    const issuer = `${ISSUER}/${TENANT}/v2.0`;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          claims: spoiled(['iss', 'tid', 'oid', 'email', 'xms_edov', 'groups', 'roles', '_claim_names', 'hasgroups']),
          graph: body(fc.array(spoiled(['@odata.type', 'id']), { maxLength: 3 }).map((value) => ({ value }))),
          next: odd,
        }),
        async ({ claims, graph, next }) => {
          const now = Math.floor(Date.now() / 1_000);
          const right = {
            sub: 'alice',
            iss: issuer,
            aud: 'client',
            nonce: checks.nonce,
            tid: TENANT,
            oid: 'oid',
            iat: now,
            exp: now + 60,
          };
          const id_token = await sign({ ...right, _claim_names: { groups: 'src1' }, ...claims });
          const isList = typeof graph === 'object' && graph !== null && !(graph instanceof Response);
          const answers = {
            [`/${TENANT}/v2.0/.well-known/openid-configuration`]: { ...metadata(ISSUER), issuer },
            '/token': { access_token: 'a', token_type: 'bearer', id_token },
            '/jwks': { keys: [{ ...(await publicKey), kid: '1' }] },
            '/v1.0/me/transitiveMemberOf': isList ? { ...graph, '@odata.nextLink': next } : graph,
          };
          const env = {
            TENANT,
            AUTHORITY: ISSUER,
            GRAPH_URL: ISSUER,
            CLIENT_ID: 'client',
            CLIENT_SECRET: SECRET,
            SUBJECT: 'oid',
          };
          const connector = openKind(VENDORS.entra.kind, env, { fetch: fetchFrom(answers), needs });
          const identity = await attempt(connector, {});
          if (!identity) return;
          signedIn += 1;
          expectTexts(identity);
          expect(identity).toMatchObject({ issuer, subject: claims.oid ?? 'oid' });
        },
      ),
      runs,
    );
    expect(signedIn).toBeGreaterThan(0);
  });
});
