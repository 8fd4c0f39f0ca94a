/**
 * Proves that real MCP clients can sign in: the recorded requests of each (test/clients) against the real processes,
 * from the first 401 to a tool call with a refreshed token; and that requests which only resemble them are refused.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CERTIFICATE, ClientHost } from '../../auth-server/test/support/client-host.ts';
import { McpSession, send } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { Stack } from '../support/stack.ts';
import { type Discovered, discover, type Flow, RecordedClient, recordings } from './recorded-client.ts';

/** The clients that an authorization server for MCP must support. */
const KNOWN = [
  ...['chatgpt', 'claude-ai', 'claude-code', 'codex', 'cursor', 'gemini-cli', 'mcp-inspector', 'mcp-remote'],
  ...['sdk-v1', 'sdk-v2', 'vs-code', 'windsurf', 'zed'],
];

let stack: Stack;
let host: ClientHost;
let discovered: Discovered;
beforeAll(async () => {
  host = await ClientHost.start();
  stack = await Stack.start({ CLIENT_METADATA_PRIVATE_HOSTS: host.name, NODE_EXTRA_CA_CERTS: CERTIFICATE });
  discovered = await discover(`${stack.mcpUrl}/mcp`);
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

it('the recordings include every known client', () => {
  expect(recordings.map(({ file }) => file)).toEqual(expect.arrayContaining(KNOWN));
});

const callWith = async (token: unknown): Promise<string> => {
  const session = await McpSession.open(`${stack.mcpUrl}/mcp`, String(token));
  return (await session.call('whoami', {})).text;
};

for (const { client: title, file, flows } of recordings) {
  describe(title, () => {
    const start = (flow: Flow) => RecordedClient.start(flow, discovered, host, `/${file}-${flows.indexOf(flow)}.json`);

    for (const flow of flows) {
      it(`${flow.name}: registers, signs a person in, calls, refreshes, calls again`, async () => {
        const client = await start(flow);
        const first = await client.redeem(await client.signIn());
        expect([first.status, first.json.error_description]).toEqual([200, undefined]);
        expect(first.json).toMatchObject({ token_type: 'Bearer', scope: client.flow.granted });
        expect(await callWith(first.json.access_token)).toContain(client.id);
        if (!flow.refresh) return;
        const second = await client.refresh(first.json.refresh_token);
        expect([second.status, second.json.error_description]).toEqual([200, undefined]);
        expect(second.json.scope).toBe(client.flow.granted);
        expect(await callWith(second.json.access_token)).toContain(client.id);
      });

      for (const { because, authorize, error } of flow.refused ?? []) {
        it(`${flow.name} is refused with ${error}: ${because}`, async () => {
          const client = await start(flow);
          const asked = client.authorizationUrl(authorize);
          const page = await new Person().open(asked, client.redirectUri);
          if (page instanceof URL) {
            // RFC 6749 §4.1.2.1: errors of the client's request go to the client, unless its redirect URI is the error.
            expect(page.searchParams.get('error')).toBe(error);
            expect(authorize).not.toHaveProperty('redirect_uri');
            return;
          }
          expect([page.status, page.headers.get('location')]).toEqual([400, null]);
          expect((await send(asked, { headers: { accept: 'application/json' } })).json.error).toBe(error);
        });
      }
    }
  });
}
