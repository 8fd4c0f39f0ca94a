/** Owns the documented shape of the access tokens of services with accounts for applications. */
import type { Shapes } from './shape.ts';

export const accounts: Shapes = {
  auth0: {
    path: '/',
    settings: () => ({}),
    header: { typ: 'JWT' },
    claims: (server) => ({
      sub: 'auth0|6553da60a54af58e29493993', aud: [`${server}/mcp`, 'https://acme.eu.auth0.com/userinfo'], azp: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja',
      scope: 'openid mcp:tools', permissions: ['mcp:tools', 'mcp:admin'],
    }), // biome-ignore format: as the vendor shows it
    principal: {
      subject: 'auth0|6553da60a54af58e29493993',
      client: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja',
      scopes: ['mcp:tools', 'openid'],
    },
    others: {
      'a machine, in the profile of RFC 9068': {
        header: { typ: 'at+jwt' },
        claims: { sub: 'awZf@clients', azp: undefined, client_id: 'awZf', gty: 'client-credentials' },
        principal: { subject: 'awZf@clients', client: 'awZf' },
      },
    },
    refused: {
      'an ID token': { claims: { aud: 'K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja', nonce: 'n' }, reason: 'wrong_audience' },
      'a token for another API': { claims: { aud: 'https://other.example/api' }, reason: 'wrong_audience' },
    },
  },
  cognito: {
    path: '/us-east-1_EXAMPLE',
    settings: () => ({
      AUDIENCE_CLAIM: 'client_id=57cbishk4j24pabc,1example23456789',
      TOKEN_SCOPE_PREFIX: 'https://mcp/',
    }),
    header: {},
    claims: () => ({
      sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee', device_key: 'x', 'cognito:groups': ['testgroup'], version: 2,
      client_id: '57cbishk4j24pabc', origin_jti: 'x', event_id: 'x', token_use: 'access', scope: 'phone https://mcp/mcp:tools',
      auth_time: 1, jti: 'x', username: 'ada',
    }), // biome-ignore format: as the vendor shows it
    principal: {
      subject: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
      client: '57cbishk4j24pabc',
      scopes: ['mcp:tools', 'phone'],
    },
    refused: {
      "another app client's token": { claims: { client_id: '2other98765' }, reason: 'wrong_audience' },
      'an ID token': {
        claims: { token_use: 'id', aud: '57cbishk4j24pabc', client_id: undefined },
        reason: 'wrong_audience',
      },
      'an ID token that claims a client': { claims: { token_use: 'id' }, reason: 'wrong_claim' },
      'a token bound to another resource': { claims: { aud: 'https://other.example' }, reason: 'wrong_audience' },
    },
  },
};
