/**
 * Owns the reference of the bench: oidc-provider alone, with records in a Map and the same tokens, without log, limits
 * or pages. `GET /mint` answers with codes (or refresh tokens) as a sign-in would leave them.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import { CLIENT_ID, MACHINE_ID, MACHINE_SECRET, REDIRECT_URI, RESOURCE, VERIFIER } from './parties.ts';

const records = new Map<string, AdapterPayload>();

class MapAdapter implements Adapter {
  readonly #model: string;
  constructor(model: string) {
    this.#model = model;
  }
  #key = (id: string) => `${this.#model}:${id}`;
  async upsert(id: string, payload: AdapterPayload) {
    records.set(this.#key(id), payload);
  }
  async find(id: string) {
    return records.get(this.#key(id));
  }
  async findByUid() {
    return undefined;
  }
  async findByUserCode() {
    return undefined;
  }
  async consume(id: string) {
    const record = records.get(this.#key(id));
    if (record) record.consumed = Math.floor(performance.timeOrigin / 1000);
  }
  async destroy(id: string) {
    records.delete(this.#key(id));
  }
  async revokeByGrantId() {}
}

const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const port = Number(process.argv[2]);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: MapAdapter,
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
  clients: [
    { client_id: CLIENT_ID, redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' },
    {
      client_id: MACHINE_ID,
      client_secret: MACHINE_SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  clientDefaults: { grant_types: ['authorization_code', 'refresh_token'], id_token_signed_response_alg: 'ES256' },
  cookies: { keys: ['bench'] },
  responseTypes: ['code'],
  pkce: { required: () => true },
  scopes: ['openid', 'mcp:tools'],
  routes: { token: '/token', jwks: '/jwks' },
  findAccount: async (_ctx, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  expiresWithSession: async () => false,
  ttl: { AccessToken: 600, AuthorizationCode: 600, ClientCredentials: 600, Grant: 86_400, RefreshToken: 86_400 },
  features: {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => RESOURCE,
      useGrantedResource: async () => true,
      getResourceServerInfo: async () => ({
        scope: 'mcp:tools',
        audience: RESOURCE,
        accessTokenTTL: 600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

async function mint(): Promise<string> {
  const client = await provider.Client.find(CLIENT_ID);
  if (!client) throw new Error('the client is missing');
  const accountId = 'alice';
  const grant = new provider.Grant({ accountId, clientId: CLIENT_ID });
  grant.addOIDCScope('mcp:tools');
  grant.addResourceScope(RESOURCE, 'mcp:tools');
  const code = new provider.AuthorizationCode({
    accountId,
    client,
    grantId: await grant.save(),
    gty: 'authorization_code',
    redirectUri: REDIRECT_URI,
    resource: RESOURCE,
    scope: 'mcp:tools',
    codeChallenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    codeChallengeMethod: 'S256',
  });
  return code.save();
}

const engine = provider.callback();
createServer(async (req, res) => {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://bench');
  if (pathname !== '/mint') return engine(req, res);
  const codes = [];
  for (let count = Number(searchParams.get('count')); count > 0; count -= 1) codes.push(await mint());
  res.end(JSON.stringify(codes));
}).listen(port, '127.0.0.1', () => process.send?.('ready'));
