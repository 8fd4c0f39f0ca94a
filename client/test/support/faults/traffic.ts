/** Owns the servers of a test that are broken with a token, for web pages, or by what is in front of them. */
import { at, type Broken, SERVER, without } from './break.ts';

let asked = 0;

export const TRAFFIC_FAULTS: readonly Broken[] = [
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
    is: 'whose token endpoint has no CORS',
    fault: at('/token', (answer) => ({ ...answer, headers: {} })),
    step: 'page',
    responsible: 'authorization-server',
    says: /\(CORS\): http:.*\/token can't be read\.$/,
  },
  {
    is: 'whose registration endpoint has no CORS',
    fault: at('/register', (answer) => ({ ...answer, headers: {} })),
    step: 'page',
    responsible: 'authorization-server',
    says: /\(CORS\): http:.*\/register does not answer OPTIONS with permission\.$/,
  },
  {
    is: 'with CORS that does not let Authorization through',
    fault: at('/mcp', (answer) => ({
      ...answer,
      headers: { ...answer.headers, 'access-control-allow-headers': '*' },
    })),
    step: 'page',
    responsible: 'mcp-server',
    says: /Access-Control-Allow-Headers lacks authorization\.$/,
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
    is: 'that speaks no revision of MCP',
    fault: at('/mcp', (answer, { rpc, headers }) =>
      rpc && headers.authorization
        ? { ...answer, status: 200, body: { jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'broken' } } }
        : answer,
    ),
    step: 'initialize',
    responsible: 'mcp-server',
    says: /speaks neither 2025-11-25 nor 2026-07-28: it answers 200, "broken"/,
    untried: ['sessions', 'tools', 'stream'],
  },
  {
    is: 'that limits requests once there is a token',
    fault: at('/mcp', (answer, { headers }) =>
      headers.authorization ? { status: 429, headers: { 'retry-after': '60' }, body: 'slow down' } : answer,
    ),
    step: 'initialize',
    responsible: 'user',
    says: /The server limits requests \(429\)/,
    untried: ['sessions', 'tools', 'stream'],
  },
  {
    is: 'that refuses every token',
    fault: at('/mcp', (answer, { headers }) =>
      headers.authorization ? { status: 401, headers: {}, body: { error: 'invalid_token' } } : answer,
    ),
    step: 'initialize',
    responsible: 'mcp-server',
    says: /The server refuses the token: 401, "invalid_token"/,
    untried: ['sessions', 'tools', 'stream'],
  },
  {
    is: 'that wants a scope which the token lacks',
    fault: at('/mcp', (answer, { headers }) =>
      headers.authorization
        ? { status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="mcp:admin"' } }
        : answer,
    ),
    step: 'initialize',
    responsible: 'user',
    says: /The server refuses the token: 403/,
    untried: ['sessions', 'tools', 'stream'],
  },
  {
    is: 'whose list of tools is an error',
    fault: at('/mcp', (answer, { rpc }) =>
      rpc === 'tools/list'
        ? { ...answer, body: { jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'no database' } } }
        : answer,
    ),
    step: 'tools',
    responsible: 'mcp-server',
    says: /tools\/list is answered 200, "no database"/,
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
    is: 'that never answers a request of the session',
    fault: at('/mcp', (answer, { rpc, headers }) => (rpc === 'ping' && headers.authorization ? undefined : answer)),
    step: 'sessions',
    responsible: 'mcp-server',
    says: /A request of the session gets no answer \(TIMEOUT\)/,
    hangs: true,
    untried: ['tools', 'stream'],
  },
  {
    is: 'behind a proxy that buffers streams',
    fault: at('/mcp', (answer) => (answer.open ? undefined : answer)),
    step: 'stream',
    responsible: 'network',
    says: /A stream does not open/,
    hangs: true,
  },
];
