/** Owns the documented shape of the access tokens of directories of companies. */
import { SCOPES, type Shapes } from './shape.ts';

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const OTHER_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';
const APP = '6731de76-14a6-49ae-97bc-6eba6914391e';

export const directories: Shapes = {
  entra: {
    path: `/${TENANT}/v2.0`,
    settings: () => ({ AUDIENCES: APP }),
    header: { typ: 'JWT' },
    claims: () => ({
      aud: APP, nbf: 0, aio: 'x', azp: 'f3d4a0c1-0000-4000-8000-000000000001', azpacr: '0', name: 'Ada',
      oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474', rh: 'x', scp: 'mcp:tools', sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
      tid: TENANT, uti: 'x', ver: '2.0',
    }), // biome-ignore format: as the vendor shows it
    principal: {
      subject: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
      client: 'f3d4a0c1-0000-4000-8000-000000000001',
      scopes: SCOPES,
    },
    others: {
      'an application without a person': {
        claims: { scp: undefined, roles: ['mcp:tools'], idtyp: 'app', sub: 'service-principal' },
        principal: { subject: 'service-principal', scopes: SCOPES },
      },
    },
    refused: {
      'an ID token for the same application': {
        claims: { azp: undefined, azpacr: undefined },
        reason: 'missing_claim',
      },
      'an ID token with at_hash': { claims: { at_hash: 'x' }, reason: 'not_an_access_token' },
      "another application's token": { claims: { aud: 'api://other' }, reason: 'wrong_audience' },
    },
  },
  'entra, version 1.0': {
    path: `/${TENANT}/`,
    settings: () => ({ AUDIENCES: 'api://mcp' }),
    header: { typ: 'JWT', x5t: 'x' },
    claims: () => ({
      aud: 'api://mcp', nbf: 0, acr: '1', appid: 'f3d4a0c1', appidacr: '0', oid: '690222be', scp: 'mcp:tools', sub: 'HKZpfaHy',
      tid: TENANT, unique_name: 'ada@example.com', ver: '1.0',
    }), // biome-ignore format: as the vendor shows it
    principal: { subject: 'HKZpfaHy', client: 'f3d4a0c1', scopes: SCOPES },
    refused: { 'an ID token': { claims: { appid: undefined }, reason: 'missing_claim' } },
  },
  'entra, several tenants': {
    path: '/organizations/v2.0',
    settings: () => ({ AUDIENCES: APP, TOKEN_REQUIRED_CLAIMS: `tid=${TENANT}|0000-ours` }),
    iss: (issuer) => issuer.replace('organizations', TENANT),
    metadataIssuer: (issuer) => issuer.replace('organizations', '{tenantid}'),
    header: { typ: 'JWT' },
    claims: () => ({ aud: APP, azp: 'f3d4a0c1', scp: 'mcp:tools', sub: 'HKZpfaHy', tid: TENANT, ver: '2.0' }),
    principal: { subject: 'HKZpfaHy', client: 'f3d4a0c1', scopes: SCOPES },
    refused: {
      'the tenant of another issuer': { claims: { tid: OTHER_TENANT }, reason: 'wrong_claim' },
      'one of our tenants in the issuer, and another in tid': { claims: { tid: '0000-ours' }, reason: 'wrong_claim' },
      'no tenant': { claims: { tid: undefined }, reason: 'wrong_claim' },
    },
  },
  okta: {
    path: '/oauth2/default',
    settings: () => ({ AUDIENCES: 'api://default' }),
    header: {},
    claims: () => ({
      ver: 1, jti: 'AT.MNAoEQ_jbKqoinrQo1D0XKjMX28U5d7ZszBceot7-Ts', aud: 'api://default', sub: 'ada@example.com', cid: '0oabucvyc38HLL1ef0h7',
      uid: '00uixa271s6x7qt8I0h7', scp: ['openid', 'mcp:tools'], auth_time: 1,
    }), // biome-ignore format: as the vendor shows it
    principal: { subject: '00uixa271s6x7qt8I0h7', client: '0oabucvyc38HLL1ef0h7', scopes: ['mcp:tools', 'openid'] },
    others: {
      'a machine': {
        header: { typ: 'application/okta-internal-at+jwt' },
        claims: { sub: '0oabucvyc38HLL1ef0h7', uid: undefined },
        principal: { subject: '0oabucvyc38HLL1ef0h7', client: '0oabucvyc38HLL1ef0h7' },
      },
    },
    refused: {
      'an ID token': { claims: { aud: 'api://default', cid: undefined, uid: undefined }, reason: 'missing_claim' },
      'an ID token with at_hash': { claims: { at_hash: 'x' }, reason: 'not_an_access_token' },
      'a token for another API': { claims: { aud: 'api://other' }, reason: 'wrong_audience' },
    },
  },
  ping: {
    path: '/abfba8f6-49eb-49f5-a5d9-80ad5c98f9f6/as',
    settings: () => ({}),
    header: {},
    claims: (server) => ({
      client_id: '3b5eaa60-2d6e-4e60-8f1e-000000000001', jti: 'x', aud: [`${server}/mcp`], scope: 'mcp:tools', sub: '8376ee81-0e88-4b2d-9b67-000000000002',
      acr: 'Single_Factor', env: 'abfba8f6-49eb-49f5-a5d9-80ad5c98f9f6', org: 'x', 'p1.rid': 'x', sid: 'x', auth_time: 1,
    }), // biome-ignore format: as the vendor shows it
    principal: {
      subject: '8376ee81-0e88-4b2d-9b67-000000000002',
      client: '3b5eaa60-2d6e-4e60-8f1e-000000000001',
      scopes: SCOPES,
    },
    others: {
      'a machine without a subject': {
        header: { typ: 'at+jwt' },
        claims: { sub: undefined },
        principal: { subject: '3b5eaa60-2d6e-4e60-8f1e-000000000001' },
      },
    },
    refused: {
      'an ID token': { claims: { client_id: undefined }, reason: 'missing_claim' },
      'a token for the PingOne API': { claims: { aud: ['https://api.pingone.com'] }, reason: 'wrong_audience' },
    },
  },
};
