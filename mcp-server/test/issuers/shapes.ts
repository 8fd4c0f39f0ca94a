/** Owns the documented shape of the access tokens of each product: what is accepted, and what must be refused. */

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const OTHER_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';
const APP = '6731de76-14a6-49ae-97bc-6eba6914391e';

type Json = Readonly<Record<string, unknown>>;

interface Change {
  readonly claims?: Json;
  readonly header?: Json;
  /** Why it is refused. */
  readonly reason: string;
}

export interface Shape {
  /** Path of the issuer. */
  readonly path: string;
  /** Besides ISSUER and ISSUER_PRESET. @param server URL of this server */
  readonly settings: (server: string) => Readonly<Record<string, string>>;
  /** Where `iss` is not the URL of the issuer. */
  readonly iss?: (issuer: string) => string;
  readonly metadataIssuer?: (issuer: string) => string;
  /** Besides `alg` and `kid`; `typ` absent: none. */
  readonly header: Json;
  /** Besides `iss`, `exp` and `iat`. @param server URL of this server */
  readonly claims: (server: string) => Json;
  readonly principal: { readonly subject: string; readonly client?: string; readonly scopes: readonly string[] };
  /** Tokens besides the one above that are accepted. */
  readonly others?: Readonly<
    Record<string, { readonly claims: Json; readonly header?: Json; readonly principal: Json }>
  >;
  readonly refused: Readonly<Record<string, Change>>;
}

const SCOPES = ['mcp:tools'];

export const SHAPES: Readonly<Record<string, Shape>> = {
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
      TOKEN_SCOPE_MAP: 'reader=mcp:tools',
      TOKEN_REQUIRED_CLAIMS: 'urn:zitadel:iam:user:resourceowner:id=69234230193872955',
    }),
    header: { typ: 'JWT' },
    claims: () => ({
      sub: '163840776835432705', aud: ['170086824411201793@yourapp', '179110286142456321'], client_id: '170086824411201793@yourapp', nbf: 0, jti: 'x',
      'urn:zitadel:iam:org:project:roles': { reader: { '69234230193872955': 'acme.zitadel.cloud' } },
      'urn:zitadel:iam:user:resourceowner:id': '69234230193872955',
    }), // biome-ignore format: as the vendor shows it
    principal: { subject: '163840776835432705', client: '170086824411201793@yourapp', scopes: SCOPES },
    refused: {
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
  'github-actions': {
    path: '',
    settings: () => ({
      TOKEN_REQUIRED_CLAIMS: 'repository_owner_id=65',
      TOKEN_SCOPE_MAP: 'octo-org/octo-repo=mcp:tools',
    }),
    header: { typ: 'JWT', x5t: 'x' },
    claims: (server) => ({
      jti: 'example-id', sub: 'repo:octo-org/octo-repo:environment:prod', environment: 'prod', aud: `${server}/mcp`, ref: 'refs/heads/main',
      sha: 'example-sha', repository: 'octo-org/octo-repo', repository_owner: 'octo-org', actor_id: '12', repository_visibility: 'private',
      repository_id: '74', repository_owner_id: '65', run_id: '1', run_number: '10', run_attempt: '2', runner_environment: 'github-hosted',
      actor: 'octocat', workflow: 'example-workflow', head_ref: '', base_ref: '', event_name: 'workflow_dispatch', ref_type: 'branch',
      job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main', nbf: 0,
    }), // biome-ignore format: as the vendor shows it
    principal: { subject: 'repo:octo-org/octo-repo:environment:prod', scopes: SCOPES },
    refused: {
      'a repository of another owner': { claims: { repository_owner_id: '66' }, reason: 'wrong_claim' },
      'the default audience': { claims: { aud: 'https://github.com/octo-org' }, reason: 'wrong_audience' },
      'another repository of the owner': {
        claims: { repository: 'octo-org/other' },
        reason: 'insufficient_scope',
      },
      'a repository with the name of a scope': { claims: { repository: 'mcp:tools' }, reason: 'insufficient_scope' },
    },
  },
  kubernetes: {
    path: '',
    settings: () => ({ TOKEN_SCOPE_MAP: 'system:serviceaccount:ci:*=mcp:tools' }),
    header: {},
    claims: (server) => ({
      aud: [`${server}/mcp`], jti: 'e51f1fbc-4733-4b85-a59f-ba80c0523874', nbf: 0, sub: 'system:serviceaccount:ci:deployer',
      'kubernetes.io': {
        namespace: 'ci', node: { name: 'worker', uid: '3a' }, pod: { name: 'shell', uid: '0d8b260e' },
        serviceaccount: { name: 'deployer', uid: 'e6a8680e' }, warnafter: 1717674962,
      },
    }), // biome-ignore format: as the vendor shows it
    principal: { subject: 'system:serviceaccount:ci:deployer', scopes: SCOPES },
    refused: {
      'the token for the API server': {
        claims: { aud: ['https://kubernetes.default.svc.cluster.local'] },
        reason: 'wrong_audience',
      },
      'a pod of another namespace': {
        claims: { sub: 'system:serviceaccount:default:deployer' },
        reason: 'insufficient_scope',
      },
    },
  },
};
