/** Proves that a mistake in EXCHANGE_POLICY stops the start with its place and reason, and that nothing is exchanged without it. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { BILLING, POLICY, startExchange } from '../support/exchange.ts';
import { MCP } from '../support/running-server.ts';

const [rule] = POLICY.clients;
const target = { resource: BILLING, scopes: ['mcp:tools'] };
const problemsOf = async (policy: unknown, env = {}): Promise<string> =>
  startExchange({ policy, env }).then(
    (server) => server[Symbol.asyncDispose]().then(() => 'started'),
    (error) => error.message,
  );
const one = (more: object) => ({ clients: [{ ...rule, ...more }] });

it.each<[string, unknown, string]>([
  ['no JSON', '{"clients":', 'the file is not JSON'],
  ['a comma too many', '{"clients":[],}', 'the file is not JSON (line 1 column 15)'],
  ['a member twice', '{"clients":[],"clients":[]}', 'the file has "clients" twice in one object'],
  ['a member that readers leave out', '{"clients":[],"__proto__":[]}', 'the file has the member "__proto__"'],
  ['a list', [], 'the file: '],
  ['no clients', { clients: [] }, 'clients: must have an entry'],
  ['an unknown member', { ...POLICY, default: 'allow' }, 'the file: "default" is not a known member'],
  [
    'a misspelled member',
    one({ connector: ['github'] }),
    'clients[0]: "connector" is not a known member; did you mean "connectors"?',
  ],
  [
    'a misspelled member of a resource',
    one({ resources: [{ ...target, scope: 'mcp:tools' }] }),
    'clients[0].resources[0]: "scope" is not a known member; did you mean "scopes"?',
  ],
  ['no resource', one({ resource: undefined }), 'clients[0].resource: must be the URL of an MCP server'],
  [
    'a resource without scopes',
    one({ resources: [{ ...target, scopes: [] }] }),
    'clients[0].resources[0].scopes: must name a scope',
  ],
  [
    'scopes in one text',
    one({ resources: [{ ...target, scopes: ['a b'] }] }),
    'scopes[0]: must be the name of a scope',
  ],
  ['nothing that it permits', one({ resources: [] }), 'clients[0]: permits nothing'],
  ['a depth of 0', one({ maxDepth: 0 }), 'clients[0].maxDepth'],
  ['a depth above the longest chain', one({ maxDepth: 9 }), 'clients[0].maxDepth'],
  ['an unknown client', one({ client: 'nobody' }), 'client "nobody": is not in CLIENTS: exchange-key --client'],
  [
    'an unknown resource',
    one({ resource: 'https://other.example/mcp' }),
    'https://other.example/mcp is not in RESOURCES',
  ],
  [
    'an unknown target',
    one({ resources: [{ ...target, resource: 'https://x.example/' }] }),
    'https://x.example/ is not in RESOURCES',
  ],
  ['its own resource as target', one({ resources: [{ ...target, resource: MCP }] }), 'is its own resource'],
  ['an unknown connector', one({ connectors: ['github'] }), 'the connector "github" is not in CONNECTORS'],
  [
    'a connector for sign-ins alone',
    one({ connectors: ['development'] }),
    'the connector "development" is not for tools: add tools to CONNECTOR_DEVELOPMENT_USE',
  ],
  ['an entry twice', { clients: [rule, rule] }, 'has the same client and resource as another entry'],
])('EXCHANGE_POLICY with %s is refused at start', async (_, policy, reason) => {
  const said = await problemsOf(policy);
  expect(said).toContain('EXCHANGE_POLICY: ');
  expect(said).toContain(reason);
});

it('EXCHANGE_POLICY reports all problems at once, and those of a file that is not there', async () => {
  const said = await problemsOf({
    clients: [
      { ...rule, client: 'a' },
      { ...rule, client: 'b' },
    ],
  });
  expect(said).toContain('"a"');
  expect(said).toContain('"b"');
  expect(await problemsOf(POLICY, { EXCHANGE_POLICY: '/nowhere/exchange.json' })).toContain('ENOENT');
});

it('a connector that cannot be read is the only problem, and not one of the policy that names it', async () => {
  const env = {
    CONNECTORS: 'development,hub',
    CONNECTOR_HUB_TYPE: 'github',
    CONNECTOR_HUB_USE: 'tools',
    CONNECTOR_HUB_TOOL_SCOPES: 'repo',
    STORAGE_KEYS: randomBytes(32).toString('base64'),
  };
  const said = await problemsOf(one({ connectors: ['hub'] }), env);
  expect(said).toContain('CONNECTOR_HUB_CLIENT_ID: ');
  expect(said).not.toContain('EXCHANGE_POLICY');
});

it('EXCHANGE_POLICY needs status lists, by which the end of an approval reaches exchanged tokens', async () => {
  expect(await problemsOf(POLICY, { STATUS_LISTS: 'off' })).toContain('EXCHANGE_POLICY: needs STATUS_LISTS=on');
});

it('EXCHANGE_POLICY is refused if its client lacks the grant type', async () => {
  const clients = [
    { client_id: 'mcp-server', client_secret: 'a-secret-of-the-server', grant_types: ['client_credentials'] },
  ];
  const said = await problemsOf({ clients: [rule] }, { CLIENTS: JSON.stringify(clients) });
  expect(said).toContain('client "mcp-server": lacks the grant type urn:ietf:params:oauth:grant-type:token-exchange');
});

it('a client with the grant type alone, but without a policy, stops the start', async () => {
  expect(await problemsOf(POLICY, { EXCHANGE_POLICY: '' })).toContain('client "mcp-server": grant_types must contain');
});
