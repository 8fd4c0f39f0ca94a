/**
 * Proves that each member of oidc-provider that `provider/overrides/` replaces, extends or relies on is the one that the override was
 * written for. After an upgrade of oidc-provider: compare the old and the new source of a member that is named here, adapt the
 * override, then take over the new fingerprint.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Provider from 'oidc-provider';
import { describe, expect, it } from 'vitest';

const OVERRIDES = fileURLToPath(new URL('../../../src/provider/overrides', import.meta.url));
const ENGINE = fileURLToPath(new URL('.', import.meta.resolve('oidc-provider')));

type Engine = Record<string, { prototype: Record<string, unknown> } & Record<string, unknown>>;

// Without clients the engine complains about nothing, and it has its own members: no override was applied to it.
const engine = new Provider('https://as.example', { clients: [] }) as unknown as Engine;

const source = (file: string) => readFileSync(join(ENGINE, file), 'utf8');

/** The override, the member of the engine, its source and the first digits of its SHA-256. */
const MEMBERS: readonly (readonly [override: string, member: string, source: unknown, fingerprint: string])[] = [
  ['approvals.ts', 'Grant.IN_PAYLOAD', JSON.stringify(engine.Grant?.IN_PAYLOAD), 'd43f6f20cca3'],
  ['client-cache.ts', 'Client.find', engine.Client?.find, 'f9e7ecd05f5f'],
  ['held-errors.ts', 'authorization error handler', source('shared/authorization_error_handler.js'), '8c02c7d60b9a'],
  ['held-errors.ts', 'error renderer', source('helpers/re_render_errors.js'), '3884dd88bf15'],
  ['judge-metadata.ts', 'Client', engine.Client, '7a168dbb614b'],
  ['judge-metadata.ts', 'Client.needsSecret', engine.Client?.needsSecret, '432e176e4cda'],
  ['redirect-uri.ts', 'AuthorizationCode.find', engine.AuthorizationCode?.find, '7774e9bf19c4'],
  ['redirect-uri.ts', 'Client#redirectUriAllowed', engine.Client?.prototype.redirectUriAllowed, '4336b785844e'],
  ['redirect-uri.ts', 'grant type authorization_code', source('actions/grants/authorization_code.js'), '2d46dcf99580'],
  [
    'registration-access-token.ts',
    'RegistrationAccessToken#generateTokenId',
    engine.RegistrationAccessToken?.prototype.generateTokenId,
    '23989c95cb71',
  ],
  ['registration-access-token.ts', 'registration endpoints', source('actions/registration.js'), '954b9778b4db'],
  ['replay-detection.ts', 'ReplayDetection.unique', engine.ReplayDetection?.unique, '26f0872a55e3'],
  ['request-body.ts', 'body of a request', source('shared/selective_body.js'), '850da4702de0'],
  ['request-context.ts', 'OIDCContext', engine.OIDCContext, 'd07486e17f05'],
  ['upstream-sessions.ts', 'Session.IN_PAYLOAD', JSON.stringify(engine.Session?.IN_PAYLOAD), '1b56f61379da'],
  ['upstream-sessions.ts', 'Session#loginAccount', engine.Session?.prototype.loginAccount, '24d3e2a31978'],
  ['upstream-sessions.ts', 'resumption of a request', source('actions/authorization/resume.js'), 'a0eaff78325c'],
  ['token/access-token-form.ts', 'AccessToken', engine.AccessToken, '63edcb015026'],
  ['token/access-token-form.ts', 'ClientCredentials', engine.ClientCredentials, '11ea9631e0ae'],
  ['token/access-token-form.ts', 'saving', source('models/base_model.js'), '77623c1d7d76'],
  ['token/access-token-form.ts', 'claims of an access token', source('models/formats/jwt.js'), '8de09847ca60'],
  ['token/access-token-form.ts', 'times of a token', source('models/formats/opaque.js'), '116a242cbe98'],
  ['token/grant-handlers.ts', 'Provider#registerGrantType', Provider.prototype.registerGrantType, '5cebd4f31d3d'],
  ['token/refresh-grant-type.ts', 'Client#grantTypeAllowed', engine.Client?.prototype.grantTypeAllowed, '44251c0bc00d'],
  ['token/refresh-grant-type.ts', 'token endpoint', source('actions/token.js'), 'b02246009810'],
  [
    'token/unauthorized-client.ts',
    'Client#grantTypeAllowed',
    engine.Client?.prototype.grantTypeAllowed,
    '44251c0bc00d',
  ],
  ['token/unauthorized-client.ts', 'token endpoint', source('actions/token.js'), 'b02246009810'],
  ['token/proof.ts', 'proofs', source('helpers/validate_dpop.js'), '937991243a02'],
  ['token/models.ts', 'BaseToken', engine.BaseToken, 'c6bc709a5f76'],
  ['token/models.ts', 'BaseModel', source('models/base_model.js'), '77623c1d7d76'],
  ['token/models.ts', 'members that are stored', source('models/payload.js'), 'b2c6a5b3c174'],
  ['token/models.ts', 'times of a token', source('models/formats/opaque.js'), '116a242cbe98'],
  [
    'token/refresh-rotation.ts',
    'RefreshToken#generateTokenId',
    engine.RefreshToken?.prototype.generateTokenId,
    '23989c95cb71',
  ],
  ['token/refresh-rotation.ts', 'grant type refresh_token', source('actions/grants/refresh_token.js'), 'd3bcebb1e448'],
];

const fingerprintOf = (text: unknown): string => createHash('sha256').update(String(text)).digest('hex').slice(0, 12);

describe('the members of oidc-provider behind provider/overrides/', () => {
  it.each(MEMBERS)('%s was written for the current source of %s', (_override, _member, text, fingerprint) => {
    expect(text).toBeDefined();
    expect(fingerprintOf(text)).toBe(fingerprint);
  });

  it('every override names at least one member', () => {
    const files = readdirSync(OVERRIDES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    expect([...new Set(MEMBERS.map(([override]) => override))].sort()).toEqual(files.sort());
  });
});
