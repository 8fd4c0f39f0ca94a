/** Owns a server in a test that accepts the ID-JAGs of one identity provider, with a client that may present them. */
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { ASSERTION_GRANT } from '../../src/clients/client.ts';
import { form, ISSUER, MCP, type RunningServer, read, type ServerOptions, startServer } from './running-server.ts';
import { startTrustedIssuer, type TrustedIssuer } from './trusted-issuer.ts';

export const SECRET = 'a-secret-of-the-code-editor';
const editor = { client_secret: SECRET, grant_types: [ASSERTION_GRANT] };

export interface Enterprise extends AsyncDisposable {
  readonly idp: TrustedIssuer;
  readonly server: RunningServer;
  /** An ID-JAG for Alice and the client `editor`, with other claims and header parameters. */
  idJag(claims?: Record<string, unknown>, header?: object): Promise<string>;
  /** Presents an assertion. */
  present(assertion: string, parameters?: Record<string, string>, options?: Presenting): Promise<Response>;
  /** What the client is told, and the reason in the log and in the audit. */
  refused(assertion: string, parameters?: Record<string, string>, options?: Presenting): Promise<Refused>;
}

interface Presenting {
  readonly client?: string;
  readonly headers?: Record<string, string>;
}

interface Refused {
  readonly status: number;
  readonly error: unknown;
  readonly description: unknown;
  /** Of the last refused token request, in the log. */
  readonly reason: string;
  /** The same in the audit. */
  readonly audited: string;
}

const basic = (id: string, secret = SECRET) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` });

export async function startEnterprise(env: Environment = {}, options: ServerOptions = {}): Promise<Enterprise> {
  const idp = await startTrustedIssuer();
  const clients = [
    { ...editor, client_id: 'editor' },
    { ...editor, client_id: 'other' },
    { client_id: 'public', grant_types: [ASSERTION_GRANT] },
  ];
  const server = await startServer({
    fetch,
    connectors: 'configured',
    ...options,
    env: {
      CLIENTS: JSON.stringify(clients),
      CONNECTORS: 'okta',
      CONNECTOR_OKTA_TYPE: 'oidc',
      CONNECTOR_OKTA_ISSUER: idp.url,
      CONNECTOR_OKTA_CLIENT_ID: 'auth-server',
      CONNECTOR_OKTA_CLIENT_SECRET: 'a-secret-of-auth-server',
      ENTERPRISE_ISSUERS: 'okta',
      ENTERPRISE_ISSUER_OKTA_ISSUER: idp.url,
      ENTERPRISE_ISSUER_OKTA_CONNECTOR: 'okta',
      ENTERPRISE_ISSUER_OKTA_CLIENTS: 'editor,theirs=other,public',
      ENTERPRISE_ISSUER_OKTA_SCOPES: 'mcp:tools,mcp:admin',
      ...env,
    },
  });
  const present: Enterprise['present'] = (assertion, parameters = {}, { client = 'editor', headers = {} } = {}) =>
    server.fetch('/token', {
      ...form({
        grant_type: ASSERTION_GRANT,
        assertion,
        ...(client === 'public' && { client_id: client }),
        ...parameters,
      }),
      headers: { ...(client !== 'public' && basic(client)), ...headers },
    });
  return {
    idp,
    server,
    present,
    idJag: (claims = {}, header = {}) => {
      const usual = { aud: ISSUER, sub: 'alice', client_id: 'editor', resource: MCP, jti: crypto.randomUUID() };
      return idp.sign({ ...usual, ...claims }, { typ: 'oauth-id-jag+jwt', ...header });
    },
    refused: async (...request) => {
      const answer = await present(...request);
      const body = await read(answer);
      const line = server.log.findLast(({ msg }) => msg === 'token request refused' || msg === 'person refused');
      const entry = server.entries.findLast(({ outcome }) => outcome === 'refused');
      return {
        status: answer.status,
        error: body.error,
        description: body.error_description,
        reason: String(line?.reason),
        audited: String(entry?.reason),
      };
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await idp[Symbol.asyncDispose]();
    },
  };
}
