/** Owns a stand-in for GitHub in which a test can change every answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';

export interface Upstream extends AsyncDisposable {
  readonly url: string;
  /** Environment of an auth-server whose people sign in here. */
  readonly env: Readonly<Record<string, string>>;
  /** The answer of the token endpoint; `undefined` closes the connection. */
  token: object | undefined;
  /** The answer of the user endpoint; text is sent unchanged. */
  user: object | string;
  /** Other answers of the user endpoint, by the access token. */
  readonly users: Map<string, object>;
  /** The answers of its lists. */
  emails: readonly object[];
  orgs: readonly object[];
  teams: readonly object[];
  /** Access tokens that GitHub has revoked: a person has withdrawn the consent. */
  readonly revoked: Set<string>;
  /** Access tokens with which the API was asked who the person is, in order. */
  readonly identified: string[];
  /** Status and headers of the list of organisations. */
  orgsHead: { readonly status: number; readonly headers: Readonly<Record<string, string>> };
  /** Authorization requests that were received. */
  readonly asked: URLSearchParams[];
}

export async function githubStub(): Promise<Upstream> {
  const asked: URLSearchParams[] = [];
  const upstream = {
    token: { access_token: 'gho_sample', token_type: 'bearer' } as object | undefined,
    user: { id: 1, login: 'alice' } as object | string,
    emails: [] as readonly object[],
    orgs: [] as readonly object[],
    teams: [] as readonly object[],
    users: new Map<string, object>(),
    revoked: new Set<string>(),
    identified: [] as string[],
    orgsHead: { status: 200, headers: {} } as Upstream['orgsHead'],
  };
  const server: TestServer = await serve((req: IncomingMessage, res: ServerResponse) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://stub');
    const token = req.headers.authorization?.replace('Bearer ', '') ?? '';
    const send = (value: object | string) =>
      res.setHeader('content-type', 'application/json').end(typeof value === 'string' ? value : JSON.stringify(value));
    if (pathname === '/login/oauth/authorize') {
      asked.push(searchParams);
      const back = `${searchParams.get('redirect_uri')}?code=upstream-code&state=${searchParams.get('state')}`;
      res.writeHead(302, { location: back }).end();
    } else if (pathname === '/login/oauth/access_token') {
      if (upstream.token) send(upstream.token);
      else req.socket.destroy();
    } else if (upstream.revoked.has(token)) {
      res.statusCode = 401;
      send({ message: 'Bad credentials' });
    } else if (pathname.endsWith('/user/emails')) send(upstream.emails);
    else if (pathname.endsWith('/user/teams')) send(upstream.teams);
    else if (pathname.endsWith('/user/orgs')) {
      const { status, headers } = upstream.orgsHead;
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
      res.statusCode = status;
      send(status === 200 ? upstream.orgs : { message: 'refused' });
    } else {
      upstream.identified.push(token);
      send(upstream.users.get(token) ?? upstream.user);
    }
  });
  return Object.assign(upstream, {
    url: server.url,
    asked,
    env: {
      CONNECTORS: 'stub',
      CONNECTOR_STUB_TYPE: 'github',
      CONNECTOR_STUB_BASE_URL: server.url,
      CONNECTOR_STUB_API_URL: `${server.url}/api`,
      CONNECTOR_STUB_CLIENT_ID: 'sample',
      CONNECTOR_STUB_CLIENT_SECRET: 'sample',
    },
    [Symbol.asyncDispose]: () => server.close(),
  });
}
