/** Owns the servers of a test that are broken in one thing each, with the step of the doctor that has to name it. */
import type { Answer, Asked, Fault, Site } from './site.ts';

const RESOURCE = '/.well-known/oauth-protected-resource/mcp';
const SERVER = '/.well-known/oauth-authorization-server';

/** Changes the answers at one path. */
const at =
  (path: string, change: (answer: Answer, asked: Asked, site: Site) => Answer | undefined): Fault =>
  (answer, asked, site) =>
    asked.path === path ? change(answer, asked, site) : answer;

/** Changes members of the JSON document at one path. */
const member = (path: string, members: object | ((site: Site) => object)): Fault =>
  at(path, (answer, { method }, site) =>
    method === 'GET'
      ? {
          ...answer,
          body: { ...(answer.body as object), ...(typeof members === 'function' ? members(site) : members) },
        }
      : answer,
  );

const without = (...names: readonly string[]): Fault => {
  const stripped = new Set(names);
  return (answer) => ({
    ...answer,
    headers: Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !stripped.has(name))),
  });
};

const challenge = (header: string): Fault =>
  at('/mcp', (answer) =>
    answer.status === 401 ? { ...answer, headers: { ...answer.headers, 'www-authenticate': header } } : answer,
  );

/** A server behind TLS that builds its URLs from plain http requests. */
const plain = (path: string): Fault =>
  at(path, (answer) => ({ ...answer, body: JSON.parse(JSON.stringify(answer.body).replaceAll('https:', 'http:')) }));

let asked = 0;

interface Broken {
  readonly is: string;
  readonly fault: Fault;
  /** The step that names it. */
  readonly step: string;
  readonly responsible: string;
  readonly says: RegExp;
  readonly secure?: boolean;
  /** Steps that can't be tried then. */
  readonly untried?: readonly string[];
}

/** The steps at the authorization server after its metadata. */
const AT_ISSUER = ['pkce', 'registration', 'keys'];

export const BROKEN: readonly Broken[] = [
  {
    is: 'without resource_metadata in its challenge',
    fault: challenge('Bearer realm="mcp"'),
    step: 'challenge',
    responsible: 'mcp-server',
    says: /no resource_metadata/,
  },
  {
    is: 'behind a proxy that strips WWW-Authenticate',
    fault: without('www-authenticate'),
    step: 'challenge',
    responsible: 'mcp-server',
    says: /no WWW-Authenticate/,
  },
  {
    is: 'behind a gateway that renames WWW-Authenticate',
    fault: at('/mcp', ({ headers: { 'www-authenticate': value, ...headers }, ...answer }) => ({
      ...answer,
      headers: { ...headers, ...(value && { 'x-amzn-remapped-www-authenticate': value }) },
    })),
    step: 'challenge',
    responsible: 'network',
    says: /renamed it to x-amzn-remapped-www-authenticate/,
  },
  {
    is: 'with a challenge that has no quotes',
    fault: challenge('Bearer resource_metadata=https://mcp.example.com/metadata'),
    step: 'challenge',
    responsible: 'mcp-server',
    says: /can't be read from here on/,
  },
  {
    is: 'behind a login of the proxy (Basic)',
    fault: challenge('Basic realm="staging"'),
    step: 'challenge',
    responsible: 'mcp-server',
    says: /offers Basic, not Bearer/,
  },
  {
    is: 'with the resource of another server',
    fault: member(RESOURCE, { resource: 'https://internal.example/mcp' }),
    step: 'resource',
    responsible: 'mcp-server',
    says: /resource is https:\/\/internal\.example\/mcp, but clients call/,
  },
  {
    is: 'with a slash too many in its resource',
    fault: member(RESOURCE, ({ url }) => ({ resource: `${url}/` })),
    step: 'resource',
    responsible: 'mcp-server',
    says: /compare both exactly/,
  },
  {
    is: 'without metadata (404)',
    fault: at(RESOURCE, (answer) => ({ ...answer, status: 404, body: 'none' })),
    step: 'resource',
    responsible: 'mcp-server',
    says: /no protected-resource metadata .*404.* as in MCP 2025-03-26 find/,
  },
  {
    is: 'with a web page as its metadata',
    fault: at(RESOURCE, () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' })),
    step: 'resource',
    responsible: 'mcp-server',
    says: /200, a web page/,
  },
  {
    is: 'without an authorization server in its metadata',
    fault: member(RESOURCE, { authorization_servers: [] }),
    step: 'resource',
    responsible: 'mcp-server',
    says: /names no authorization server/,
    untried: ['server', ...AT_ISSUER],
  },
  {
    is: 'behind TLS that it does not know of: the issuer is http',
    fault: member(RESOURCE, ({ origin }) => ({ authorization_servers: [origin.replace('https:', 'http:')] })),
    secure: true,
    step: 'resource',
    responsible: 'mcp-server',
    says: /authorization_servers has http:.*, with http/,
  },
  {
    is: 'behind TLS that it does not know of: the place of its metadata is http',
    fault: at('/mcp', (answer, _, { origin }) => {
      const plainOrigin = origin.replace('https:', 'http:');
      const header = `Bearer resource_metadata="${plainOrigin}${RESOURCE}"`;
      return answer.status === 401 ? { ...answer, headers: { ...answer.headers, 'www-authenticate': header } } : answer;
    }),
    secure: true,
    step: 'challenge',
    responsible: 'mcp-server',
    says: /resource_metadata is http:.*, with http, although/,
  },
  {
    is: 'with a challenge that names a place without metadata',
    fault: challenge('Bearer resource_metadata="http://127.0.0.1:1/nothing"'),
    step: 'resource',
    responsible: 'mcp-server',
    says: /The place that the challenge names has no metadata .*ECONNREFUSED/,
  },
  {
    is: 'behind TLS that its authorization server does not know of',
    fault: plain(SERVER),
    secure: true,
    step: 'server',
    responsible: 'authorization-server',
    says: /is of the issuer "http:/,
    untried: AT_ISSUER,
  },
  {
    is: 'with metadata of another issuer',
    fault: member(SERVER, { issuer: 'https://login.example' }),
    step: 'server',
    responsible: 'authorization-server',
    says: /is of the issuer "https:\/\/login\.example"/,
    untried: AT_ISSUER,
  },
  {
    is: 'with an issuer that only has a slash more',
    fault: member(SERVER, ({ origin }) => ({ issuer: `${origin}/` })),
    step: 'server',
    responsible: 'mcp-server',
    says: /is of the issuer "http:.*\/"/,
    untried: AT_ISSUER,
  },
  {
    is: 'whose authorization server has no metadata (404)',
    fault: at(SERVER, (answer) => ({ ...answer, status: 404, body: 'none' })),
    step: 'server',
    responsible: 'authorization-server',
    says: /has no metadata.*404.*404/,
    untried: AT_ISSUER,
  },
  {
    is: 'without PKCE',
    fault: member(SERVER, { code_challenge_methods_supported: undefined }),
    step: 'pkce',
    responsible: 'authorization-server',
    says: /code_challenge_methods_supported is missing/,
  },
  {
    is: 'with neither registration nor documents of clients',
    fault: member(SERVER, { registration_endpoint: undefined }),
    step: 'registration',
    responsible: 'authorization-server',
    says: /no client can introduce itself/,
  },
  {
    is: 'with an empty key set',
    fault: member('/jwks', { keys: [] }),
    step: 'keys',
    responsible: 'authorization-server',
    says: /no usable key/,
  },
  {
    is: 'with a symmetric key in its key set',
    fault: at('/jwks', ({ body, ...answer }) => {
      const { keys } = body as { keys: object[] };
      return { ...answer, body: { keys: [...keys, { kty: 'oct', k: 'c2VjcmV0' }] } };
    }),
    step: 'keys',
    responsible: 'authorization-server',
    says: /contains a secret key/,
  },
  {
    is: 'without CORS',
    fault: without('access-control-allow-origin', 'access-control-expose-headers', 'access-control-allow-headers'),
    step: 'page',
    responsible: 'mcp-server',
    says: /\(CORS\): OPTIONS is answered 204 without permission to ask; the answer 401 of the server can't be read/,
  },
  {
    is: 'with CORS that does not expose WWW-Authenticate',
    fault: (answer) => ({
      ...answer,
      headers: { ...answer.headers, 'access-control-expose-headers': 'Mcp-Session-Id' },
    }),
    step: 'page',
    responsible: 'mcp-server',
    says: /Expose-Headers lacks WWW-Authenticate/,
  },
  {
    is: 'whose authorization server has no CORS',
    fault: at(SERVER, ({ headers: { 'access-control-allow-origin': _, ...headers }, ...answer }) => ({
      ...answer,
      headers,
    })),
    step: 'page',
    responsible: 'authorization-server',
    says: /oauth-authorization-server can't be read/,
  },
  {
    is: 'behind a firewall that blocks the user agent of Claude',
    fault: (answer, { headers }) =>
      headers['user-agent'] === 'Claude-User'
        ? { status: 403, headers: {}, body: 'Sorry, you have been blocked' }
        : answer,
    step: 'user agents',
    responsible: 'network',
    says: /: Claude \(Claude-User\) gets 403 instead of 401 from [^;]*\/mcp; Claude \(Claude-User\) gets 403 instead of 200 from [^;]*$/,
  },
  {
    is: 'whose authorization server is behind a firewall that blocks ChatGPT',
    fault: at(SERVER, (answer, { headers }) =>
      headers['user-agent']?.startsWith('openai-mcp') ? { status: 403, headers: {}, body: 'blocked' } : answer,
    ),
    step: 'user agents',
    responsible: 'network',
    says: /: ChatGPT \(openai-mcp.*\) gets 403 instead of 200 from [^;]*oauth-authorization-server\.$/,
  },
  {
    is: 'behind a firewall that blocks requests without a user agent',
    fault: (answer, { headers }) => (headers['user-agent'] ? answer : { status: 403, headers: {}, body: 'no' }),
    step: 'user agents',
    responsible: 'network',
    says: /Codex \(without a user agent\) gets 403/,
  },
  {
    is: 'with a clock that is an hour behind',
    fault: at('/mcp', (answer) => {
      const date = new Date(Date.now() - 3_600_000).toUTCString();
      return { ...answer, headers: { ...answer.headers, date } };
    }),
    step: 'clocks',
    responsible: 'mcp-server',
    says: /3600 s behind|3601 s behind/,
  },
  {
    is: 'behind a proxy that strips Mcp-Session-Id from answers',
    fault: without('mcp-session-id'),
    step: 'sessions',
    responsible: 'network',
    says: /initialize gave no Mcp-Session-Id, and the next request is refused: 400/,
    untried: ['tools', 'stream'],
  },
  {
    is: 'behind a proxy that strips Mcp-Session-Id from requests',
    fault: at('/mcp', (answer, { rpc }) =>
      rpc === 'ping' ? { ...answer, status: answer.status === 401 ? 401 : 400, body: { error: 'missing' } } : answer,
    ),
    step: 'sessions',
    responsible: 'network',
    says: /as if it had no Mcp-Session-Id/,
    untried: ['tools', 'stream'],
  },
  {
    is: 'with two replicas that do not share sessions',
    fault: at('/mcp', (answer, { rpc, headers }) =>
      rpc === 'ping' && headers.authorization && asked++ % 2 === 0
        ? { ...answer, status: 404, body: { error: 'Session not found' } }
        : answer,
    ),
    step: 'sessions',
    responsible: 'mcp-server',
    says: /3 of 6 requests do not reach the session: 404/,
    untried: ['tools', 'stream'],
  },
  {
    is: 'that does not expose Mcp-Session-Id',
    fault: (answer) => ({
      ...answer,
      headers: { ...answer.headers, 'access-control-expose-headers': 'WWW-Authenticate' },
    }),
    step: 'sessions',
    responsible: 'mcp-server',
    says: /Expose-Headers lacks Mcp-Session-Id/,
  },
  {
    is: 'behind a proxy that buffers streams',
    fault: at('/mcp', (answer) => (answer.open ? undefined : answer)),
    step: 'stream',
    responsible: 'network',
    says: /A stream does not open/,
  },
];
