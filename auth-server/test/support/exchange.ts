/** Owns an auth-server with an exchange policy in a test: two MCP servers, their clients with keys, and a request to exchange. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { EXCHANGE_GRANT } from '../../src/clients/client.ts';
import { form, ISSUER, MCP, type RunningServer, type ServerOptions, startServer } from './running-server.ts';

export const BILLING = 'https://billing.example/mcp';
export const LEDGER = 'https://ledger.example/mcp';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
export const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';

export const pair = await generateKeyPair('ES256', { extractable: true });
export const otherPair = await generateKeyPair('ES256', { extractable: true });
type Pair = typeof pair;

export const keyed = async (id: string, { publicKey }: Pair, members: object = {}) => ({
  client_id: id,
  grant_types: [EXCHANGE_GRANT],
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] },
  ...members,
});

const CLIENTS = [await keyed('mcp-server', pair), await keyed('billing-server', otherPair)];

const SCOPES = { 'mcp:tools': 'Use tools', 'mcp:admin': 'Manage', 'billing:read': 'Read bills' };
const RESOURCES = [
  { url: 'http://localhost:8080', scopes: SCOPES },
  { url: 'https://billing.example', scopes: SCOPES },
  { url: 'https://ledger.example', scopes: SCOPES },
];

export const POLICY = {
  clients: [
    { client: 'mcp-server', resource: MCP, resources: [{ resource: BILLING, scopes: ['mcp:tools', 'billing:read'] }] },
    {
      client: 'billing-server',
      resource: BILLING,
      resources: [{ resource: LEDGER, scopes: ['mcp:tools'] }],
      maxDepth: 2,
    },
  ],
};

export interface ExchangeOptions extends ServerOptions {
  readonly policy?: unknown;
  readonly clients?: readonly object[];
}

/** The environment of a server with this policy. */
function exchangeEnvironment({ policy = POLICY, clients = [], env }: ExchangeOptions, folder: string) {
  const path = join(folder, 'exchange.json');
  writeFileSync(path, typeof policy === 'string' ? policy : JSON.stringify(policy));
  return {
    CLIENTS: JSON.stringify([...CLIENTS, ...clients]),
    RESOURCES: JSON.stringify(RESOURCES),
    EXCHANGE_POLICY: path,
    ...env,
  };
}

/** Settings that declare the connector `github` for tools; what it does there, a test says. */
export const GITHUB = {
  CONNECTORS: 'acme,github',
  CONNECTOR_ACME_TYPE: 'oidc',
  CONNECTOR_ACME_ISSUER: 'https://acme.example',
  CONNECTOR_ACME_CLIENT_ID: 'client',
  CONNECTOR_ACME_CLIENT_SECRET: 'secret',
  CONNECTOR_GITHUB_CLIENT_ID: 'client',
  CONNECTOR_GITHUB_CLIENT_SECRET: 'secret',
  CONNECTOR_GITHUB_USE: 'tools',
  CONNECTOR_GITHUB_TOOL_SCOPES: 'read:user repo',
  STORAGE_KEYS: randomBytes(32).toString('base64'),
};

export async function startExchange(options: ExchangeOptions = {}): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), 'exchange-'));
  try {
    // The file is read at start only.
    return await startServer({ ...options, env: exchangeEnvironment(options, folder) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** RFC 7523 §2.2 */
export const assertionOf = (id: string, { privateKey }: Pair): Promise<string> =>
  new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(id)
    .setSubject(id)
    .setAudience(ISSUER)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(privateKey);

export const proofOf = async (key: Pair): Promise<string> =>
  new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(key.publicKey) })
    .setIssuedAt()
    .sign(key.privateKey);

type Parameter = string | readonly string[] | undefined;

interface Caller {
  readonly id?: string;
  readonly key?: Pair;
  /** Replaces the authentication with the key. */
  readonly credentials?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request to exchange a token for one of the billing server; `undefined` leaves a parameter out. */
export async function exchange(
  server: Pick<RunningServer, 'fetch'>,
  token: unknown,
  parameters: Readonly<Record<string, Parameter>> = {},
  { id = 'mcp-server', key = pair, credentials, headers = {} }: Caller = {},
): Promise<Response> {
  const body = new URLSearchParams();
  const all: Record<string, Parameter> = {
    grant_type: EXCHANGE_GRANT,
    subject_token: String(token),
    subject_token_type: ACCESS_TOKEN,
    resource: BILLING,
    ...(credentials ?? {
      client_assertion: await assertionOf(id, key),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    }),
    ...parameters,
  };
  for (const [name, value] of Object.entries(all)) {
    for (const one of [value].flat()) if (one !== undefined) body.append(name, one);
  }
  return server.fetch('/token', { ...form({}), body, headers });
}
