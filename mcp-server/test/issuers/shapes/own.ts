/** Owns the documented shape of the access tokens of products that people run themselves. */
import type { Shapes } from './shape.ts';

export const own: Shapes = {
  keycloak: {
    path: '/realms/staff',
    settings: () => ({ TOKEN_SCOPE_CLAIMS: 'scope,resource_access.mcp.roles', TOKEN_SCOPE_MAP: 'ops=mcp:admin' }),
    header: { typ: 'JWT' },
    claims: (server) => ({
      jti: 'onrtac:1', aud: [`${server}/mcp`, 'account'], sub: '36fa0f91-f94d-4a0c-afed-6b7d952e47da', typ: 'Bearer',
      azp: 'claude', sid: '2a88c258', acr: '1', 'allowed-origins': ['https://claude.ai'],
      realm_access: { roles: ['offline_access', 'uma_authorization'] },
      resource_access: { mcp: { roles: ['ops', 'mcp:secret'] }, account: { roles: ['manage-account'] } },
      scope: 'mcp:tools email', email_verified: true, name: 'Ada', preferred_username: 'ada', email: 'ada@example.com',
    }), // biome-ignore format: as the vendor shows it
    principal: {
      subject: '36fa0f91-f94d-4a0c-afed-6b7d952e47da',
      client: 'claude',
      scopes: ['email', 'mcp:admin', 'mcp:tools'],
    },
    refused: {
      'the default audience': { claims: { aud: 'account' }, reason: 'wrong_audience' },
      'no audience': { claims: { aud: undefined }, reason: 'no_audience' },
      'an ID token': { claims: { typ: 'ID', at_hash: 'x' }, reason: 'not_an_access_token' },
      'an ID token without at_hash': { claims: { typ: 'ID' }, reason: 'wrong_claim' },
      'a refresh token': { claims: { typ: 'Refresh' }, reason: 'wrong_claim' },
      'a token without the scope basic': { claims: { sub: undefined }, reason: 'missing_claim' },
    },
  },
  authentik: {
    path: '/application/o/mcp/',
    settings: () => ({ AUDIENCES: 'mcp-client' }),
    header: { typ: 'JWT' },
    claims: () => ({
      sub: '5f2a', aud: 'mcp-client', auth_time: 1, acr: 'goauthentik.io/providers/oauth2/default', amr: ['pwd'], sid: 'x',
      azp: 'mcp-client', uid: 'abc', nonce: 'n', scope: 'openid mcp:tools',
    }), // biome-ignore format: as the vendor shows it
    principal: { subject: '5f2a', client: 'mcp-client', scopes: ['mcp:tools', 'openid'] },
    refused: {
      'an ID token, which has the same audience': {
        claims: { azp: undefined, uid: undefined },
        reason: 'missing_claim',
      },
      'an ID token with at_hash': { claims: { at_hash: 'x' }, reason: 'not_an_access_token' },
      "another application's token": { claims: { aud: 'other-client', azp: 'other-client' }, reason: 'wrong_audience' },
    },
  },
  zitadel: {
    path: '',
    settings: () => ({
      AUDIENCES: '179110286142456321',
      BASE_SCOPE: 'openid',
      TOKEN_SCOPE_CLAIMS: 'urn:zitadel:iam:org:project:179110286142456321:roles',
      TOKEN_SCOPE_MAP: 'reader=openid',
      TOKEN_REQUIRED_CLAIMS: 'urn:zitadel:iam:user:resourceowner:id=69234230193872955',
    }),
    header: { typ: 'JWT' },
    claims: () => ({
      sub: '163840776835432705', aud: ['170086824411201793@yourapp', '179110286142456321'], client_id: '170086824411201793@yourapp', nbf: 0, jti: 'x',
      'urn:zitadel:iam:org:project:roles': { reader: { '69234230193872955': 'acme.zitadel.cloud' } },
      'urn:zitadel:iam:org:project:179110286142456321:roles': { reader: { '69234230193872955': 'acme.zitadel.cloud' } },
      'urn:zitadel:iam:user:resourceowner:id': '69234230193872955',
    }), // biome-ignore format: as the vendor shows it
    principal: { subject: '163840776835432705', client: '170086824411201793@yourapp', scopes: ['openid'] },
    others: {
      'with the client in azp': {
        claims: { client_id: undefined, azp: '170086824411201793@yourapp' },
        principal: { client: '170086824411201793@yourapp' },
      },
    },
    refused: {
      'a role of the same name in the project of another client': {
        claims: { 'urn:zitadel:iam:org:project:179110286142456321:roles': undefined },
        reason: 'insufficient_scope',
      },
      'an ID token, which has the same audience': { claims: { at_hash: 'x' }, reason: 'not_an_access_token' },
      'a person of another organisation': {
        claims: { 'urn:zitadel:iam:user:resourceowner:id': '1' },
        reason: 'wrong_claim',
      },
      'a token for another project': { claims: { aud: ['999@other'] }, reason: 'wrong_audience' },
    },
  },
  authelia: {
    path: '',
    settings: () => ({}),
    header: { typ: 'at+jwt' },
    claims: (server) => ({
      sub: 'x',
      aud: [`${server}/mcp`],
      client_id: 'claude',
      scope: 'openid mcp:tools',
      jti: 'x',
      nbf: 0,
    }),
    principal: { subject: 'x', client: 'claude', scopes: ['mcp:tools', 'openid'] },
    refused: {
      'an ID token': { header: { typ: 'JWT' }, reason: 'wrong_type' },
      "another client's audience": { claims: { aud: ['https://other.example'] }, reason: 'wrong_audience' },
    },
  },
};
