/** Owns `clients`: an operator sees the clients, and adds and removes those that need not register, while the server runs. */
import { randomBytes } from 'node:crypto';
import { type Command, type CommandGroup, type Invocation, UsageError } from '@mcp-oauth/shared/cli/command';
import { json } from '@mcp-oauth/shared/cli/list';
import { table } from '@mcp-oauth/shared/cli/table';
import { StartError } from '@mcp-oauth/shared/errors';
import { type Client, clientSchema, DEVICE_GRANT } from '../../clients/client.ts';
import { createClientList } from '../../clients/client-list.ts';
import { judgeClients } from '../../compose/client-checks.ts';
import { approvals } from '../listing/approvals.ts';
import { endingsOf, type WithStore } from '../store.ts';
import { listCommand } from './list.ts';
import { showCommand } from './show.ts';

export const clientsCommands = (withStore: WithStore): CommandGroup => ({
  name: 'clients',
  summary: 'Clients: who uses them, and those that need not register. Running servers apply changes within 10 seconds.',
  commands: [add(withStore), listCommand(withStore), showCommand(withStore), remove(withStore)],
});

const add = (withStore: WithStore): Command => ({
  name: 'add',
  summary: 'Add a client and show its settings, including the secret, once.',
  details:
    'With a redirect URI the client signs people in. Without one it is a machine client, which acts on its own behalf (client_credentials). It never expires.',
  options: {
    name: { type: 'string', value: 'text', doc: 'Name of the client on the sign-in page.' },
    'redirect-uri': {
      type: 'string',
      multiple: true,
      value: 'url',
      doc: 'Redirect URI, to which people return after the sign-in.',
    },
    grant: {
      type: 'string',
      multiple: true,
      value: 'type',
      doc: 'Grant type. Not set: authorization_code and refresh_token with a redirect URI, else client_credentials. For machines without a browser: urn:ietf:params:oauth:grant-type:device_code, where DEVICE_AUTHORIZATION is on.',
    },
    'auth-method': {
      type: 'string',
      value: 'method',
      doc: 'none, client_secret_basic, client_secret_post or private_key_jwt. Not set: none with a redirect URI or for device codes, else client_secret_basic.',
    },
    'jwks-uri': { type: 'string', value: 'url', doc: 'URL of its public keys, for private_key_jwt.' },
    scope: {
      type: 'string',
      value: 'scopes',
      doc: 'Scopes that it may get, separated by spaces. Not set: all.',
    },
    json,
  },
  run: (invocation) =>
    withStore(invocation.env, async ({ config, store, clock }) => {
      const client = newClient(invocation);
      const [problem] = await judgeClients(config, [client]);
      if (problem) throw new StartError(problem.message);
      await createClientList(store).add({ client, addedAt: Math.floor(clock.now() / 1000) });
      show(invocation, client, config.issuer);
      return 0;
    }),
});

function newClient({ options }: Invocation): Client {
  const redirectUris = options['redirect-uri'] as string[] | undefined;
  const signsIn = redirectUris !== undefined || [options.grant].flat().includes(DEVICE_GRANT);
  const method = options['auth-method'] ?? (signsIn ? 'none' : 'client_secret_basic');
  const parsed = clientSchema.safeParse({
    client_id: randomBytes(16).toString('hex'),
    ...(/^client_secret_/.test(String(method)) && { client_secret: randomBytes(32).toString('base64url') }),
    ...(options.name && { client_name: options.name }),
    ...(redirectUris && { redirect_uris: redirectUris }),
    grant_types: options.grant ?? (redirectUris ? ['authorization_code', 'refresh_token'] : ['client_credentials']),
    token_endpoint_auth_method: method,
    ...(options['jwks-uri'] && { jwks_uri: options['jwks-uri'] }),
    ...(options.scope && { scope: options.scope }),
  });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => [...path, message].join(' '));
  throw new UsageError(`the client ${problems.join(', and ')}`);
}

function show({ options, stdout }: Invocation, client: Client, issuer: string): void {
  if (options.json) {
    stdout.write(`${JSON.stringify(client, null, 2)}\n`);
    return;
  }
  const rows = [
    ['client_id', client.client_id],
    ...(client.client_secret ? [['client_secret', client.client_secret, 'not shown again']] : []),
    ['authentication', client.token_endpoint_auth_method],
    ['grants', client.grant_types.join(' ')],
    ['issuer', issuer],
  ];
  stdout.write(`Added. Settings of the client:\n\n${table(rows, '  ')}\n`);
}

const remove = (withStore: WithStore): Command => ({
  name: 'remove',
  summary: 'Remove a client, including one that registered itself. The approvals for it end as well.',
  parameters: ['client_id'],
  run: ({ env, parameters, stdout }) =>
    withStore(env, async (opened) => {
      const { config, store } = opened;
      const { client_id: id = '' } = parameters;
      if (config.clients.some((client) => client.client_id === id)) {
        throw new StartError(`${JSON.stringify(id)} is in CLIENTS: remove it there and restart`);
      }
      const list = createClientList(store);
      const [registered, listed] = await Promise.all([store.get('Client', id), list.load()]);
      if (!registered && !listed.some(({ client }) => client.client_id === id)) {
        throw new StartError(`there is no client ${JSON.stringify(id)}`);
      }
      // In this order: a command that was interrupted in between can be run again.
      const { grants } = await endingsOf(opened).end({ kind: 'client', id, isRemoved: true }, { origin: 'cli' });
      await store.delete('Client', id);
      await list.remove(id);
      stdout.write(`Removed ${id}, with ${approvals(grants)}. Running servers apply the change within 10 seconds.\n`);
      return 0;
    }),
});
