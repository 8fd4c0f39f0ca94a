/**
 * Proves for each preset, over real HTTP, that tokens of the documented shape of its product are accepted, and refused for each way in
 * which they can be wrong. The issuer is one of ours that signs what the page of the vendor shows.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PRESETS } from '../../src/authorization/issuer/presets/table.ts';
import { refusedIn, tell } from '../support/explained-token.ts';
import { type Foreign, type ForeignServer, startForeign, startServer } from '../support/foreign.ts';
import { signingKey, signToken } from '../support/issuer.ts';
import { SHAPES } from './shapes.ts';

/** Leaves out the type that the test issuer writes otherwise. */
const UNTYPED: Record<string, unknown> = { typ: undefined };

interface Documented {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
}

const presetOf = (shape: string): string => shape.split(',')[0] ?? '';

it('every preset has tokens of its documented shape', () => {
  expect(new Set(Object.keys(SHAPES).map(presetOf))).toEqual(new Set(Object.keys(PRESETS)));
});

describe.each(Object.entries(SHAPES))('%s', (name, shape) => {
  const page = PRESETS[presetOf(name)]?.page;
  let foreign: Foreign;
  let server: ForeignServer;
  let settings: Readonly<Record<string, string>>;
  beforeAll(async () => {
    foreign = await startForeign(shape.path.replace(/\/$/, ''));
    const url = foreign.issuer.url + (shape.path.endsWith('/') ? '/' : '');
    foreign.issuer.metadata.issuer = shape.metadataIssuer?.(url) ?? url;
    settings = { ISSUER: url, ISSUER_PRESET: presetOf(name), ...shape.settings() };
    server = await startServer(settings);
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await foreign?.issuer.close();
  });

  const token = (claims = {}, header: Record<string, unknown> = {}, key = foreign.key) => {
    const now = server.clock.now() / 1000;
    const url = foreign.issuer.url + (shape.path.endsWith('/') ? '/' : '');
    const own = { iss: shape.iss?.(url) ?? url, iat: now, exp: now + 600, ...shape.claims(server.url) };
    return signToken({ key, claims: { ...own, ...claims }, header: { ...UNTYPED, ...shape.header, ...header } });
  };

  it(`RFC 9068 §4 a token as documented at ${page} is accepted`, async () => {
    const { client, ...others } = shape.principal;
    const said = await server.whoami(await token());
    expect(said).toMatchObject(others);
    expect((said as { client?: string }).client).toBe(client);
  });

  it.each(Object.entries(shape.others ?? {}))('RFC 9068 §4 a token is accepted too: %s', async (_, other) => {
    expect(await server.whoami(await token(other.claims, other.header))).toMatchObject(other.principal);
  });

  it.each(Object.entries(shape.refused))(
    'RFC 6750 §3.1 a token is refused: %s',
    async (_, { claims, header, reason }) => {
      const said = await server.whoami(await token(claims, header));
      if (reason !== 'insufficient_scope') expect(said).toMatchObject({ status: 401, reason });
      else expect(said).toMatchObject({ status: 403, reason, mend: expect.stringContaining('TOKEN_SCOPE_MAP') });
    },
  );

  it('RFC 9068 §4 explain-token says the same of these tokens', async () => {
    for (const { claims, header } of [{ claims: {} }, ...Object.values(shape.others ?? {})] as Documented[]) {
      const told = await tell(server, settings, await token(claims, header));
      expect([refusedIn(told), told.accepted]).toEqual([[], true]);
    }
    for (const { claims, header, reason } of Object.values(shape.refused)) {
      const told = await tell(server, settings, await token(claims, header));
      expect(refusedIn(told).map((refused) => refused.reason)).toContain(reason);
    }
  });

  it('RFC 6750 §3.1 a token of another issuer, without an audience, expired, or by a foreign key is refused', async () => {
    const now = server.clock.now() / 1000;
    const foreignKey = await signingKey('key-1', 'RS256');
    const said = async (...given: Parameters<typeof token>) => {
      const { reason } = (await server.whoami(await token(...given))) as { reason?: unknown };
      return reason;
    };
    expect(await said({ iss: 'https://evil.example' })).toBe('wrong_issuer');
    expect(await said({ iss: undefined })).toBe('wrong_issuer');
    expect(await said({ aud: 'https://other.example/mcp' })).toBe('wrong_audience');
    expect(await said({ iat: now - 700, exp: now - 60 })).toBe('expired');
    expect(await said({ exp: undefined })).toBe('missing_claim');
    expect(await said({}, {}, foreignKey)).toBe('bad_signature');
    expect(await said({}, { typ: 'dpop+jwt' })).toBe('wrong_type');
    expect(await said({}, { typ: 'none' }), 'the name of a token without a type').toBe('wrong_type');
    if (name !== 'cognito') expect(await said({ aud: undefined })).toBe('no_audience');
  });
});

describe('entra, the keys of several tenants', () => {
  it('Microsoft docs "Validate the signing key issuer": a key that names a tenant signs for no other', async () => {
    const [ours, other] = ['72f988bf-86f1-41af-91ab-2d7cd011db47', '9188040d-6c67-4c5b-b112-36a304b66dad'];
    const { issuer, key } = await startForeign('/organizations/v2.0');
    const of = (tenant: string) => `${new URL(issuer.url).origin}/${tenant}/v2.0`;
    issuer.metadata.issuer = of('{tenantid}');
    await using server = await startServer({
      ISSUER: issuer.url,
      ISSUER_PRESET: 'entra',
      AUDIENCES: 'app',
      TOKEN_REQUIRED_CLAIMS: `tid=${ours}`,
    });
    const names = { 'key-any': of('{tenantid}'), 'key-ours': of(ours), 'key-other': of(other) };
    const reasons: Record<string, unknown> = {};
    issuer.keys.length = 0;
    for (const [kid, name] of Object.entries(names))
      issuer.keys.push(Object.assign({}, key.publicJwk, { kid, issuer: name }));
    for (const kid of Object.keys(names)) {
      const claims = { iss: of(ours), tid: ours, aud: 'app', sub: 'ada', azp: 'x', scp: 'mcp:tools' };
      const exp = server.clock.now() / 1000 + 600;
      const said = await server.whoami(
        await signToken({ key, claims: { ...claims, exp }, header: { typ: 'JWT', kid } }),
      );
      reasons[kid] = 'reason' in said ? said.reason : said.subject;
    }
    expect(reasons).toEqual({ 'key-any': 'ada', 'key-ours': 'ada', 'key-other': 'unknown_key' });
    await issuer.close();
  });
});
