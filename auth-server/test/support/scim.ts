/** Owns an identity provider in a test that reports over SCIM who is active: a server with two connectors, and its requests. */
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { type RunningServer, read, type ServerOptions, startServer } from './running-server.ts';

export const TOKEN = 'a-token-of-acme-that-nobody-could-guess';
export const OTHER_TOKEN = 'a-token-of-beta-that-nobody-could-guess';
export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
export const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

const connector = (id: string): Environment => ({
  [`CONNECTOR_${id}_TYPE`]: 'oidc',
  [`CONNECTOR_${id}_ISSUER`]: `https://${id.toLowerCase()}.example`,
  [`CONNECTOR_${id}_CLIENT_ID`]: 'client',
  [`CONNECTOR_${id}_CLIENT_SECRET`]: 'secret',
});

/** The connectors acme and beta have SCIM, gamma has none. */
export const startWithScim = ({ env, ...options }: ServerOptions = {}): Promise<RunningServer> =>
  startServer({
    ...options,
    connectors: (acme) => [acme, { ...acme, id: 'beta', callbackUrl: acme.callbackUrl.replace('acme', 'beta') }],
    env: {
      CONNECTORS: 'acme,beta,gamma',
      ...connector('ACME'),
      ...connector('BETA'),
      ...connector('GAMMA'),
      CONNECTOR_ACME_SCIM_TOKEN: TOKEN,
      CONNECTOR_BETA_SCIM_TOKEN: OTHER_TOKEN,
      ...env,
    },
  });

export interface ScimRequest {
  readonly connector?: string;
  /** Empty: none is sent. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface ScimAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON, loosely typed. */
  readonly body: Readonly<Record<string, unknown>>;
}

export async function scim(
  server: RunningServer,
  method: string,
  path: string,
  { connector: id = 'acme', token = TOKEN, headers = {}, body }: ScimRequest = {},
): Promise<ScimAnswer> {
  const response = await server.fetch(`/scim/v2/${id}${path}`, {
    method,
    headers: {
      'content-type': 'application/scim+json; charset=utf-8',
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const hasBody = response.headers.get('content-type')?.includes('json');
  return { status: response.status, headers: response.headers, body: hasBody ? await read(response) : {} };
}

/** @returns the id */
export async function provision(server: RunningServer, externalId: string, more: object = {}): Promise<string> {
  const { status, body } = await scim(server, 'POST', '/Users', {
    body: { schemas: [USER], externalId, userName: `${externalId}@acme.example`, active: true, ...more },
  });
  if (status !== 201) throw new Error(`not provisioned: ${JSON.stringify(body)}`);
  return String(body.id);
}

export const patch = (server: RunningServer, id: string, ...operations: readonly object[]): Promise<ScimAnswer> =>
  scim(server, 'PATCH', `/Users/${id}`, { body: { schemas: [PATCH], Operations: operations } });

export const setActive = (server: RunningServer, id: string, active: boolean): Promise<ScimAnswer> =>
  patch(server, id, { op: 'replace', path: 'active', value: active });

export const byFilter = (server: RunningServer, filter: string): Promise<ScimAnswer> =>
  scim(server, 'GET', `/Users?${new URLSearchParams({ filter })}`);

/** The users of a list. */
export const found = ({ body }: ScimAnswer): readonly Readonly<Record<string, unknown>>[] =>
  body.Resources as readonly Readonly<Record<string, unknown>>[];
