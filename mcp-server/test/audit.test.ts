/** Proves what the audit of mcp-server says of real requests, and that it repeats nothing secret of them. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@mcp-oauth/shared/logger';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { run } from '@mcp-oauth/shared/testing/terminal';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCommands } from '../src/cli/commands.ts';
import { compose } from '../src/compose/compose.ts';
import { createCatalog } from '../src/protocol/catalog/catalog.ts';
import { defineTool, ToolError } from '../src/protocol/define.ts';
import { signingKey, signToken, startIssuer } from './support/issuer.ts';
import { keyHolder } from './support/proof.ts';
import { headersOf, meta, request as modernRequest } from './support/stateless-harness.ts';
import { publishList } from './support/status-lists.ts';

const KEY = randomBytes(32).toString('base64');
const CANARY = 'canary-9f2c';

const base = { title: 'Test', description: 'For the audit' };
const read = defineTool({
  ...base,
  name: 'read',
  input: z.object({ path: z.string(), password: z.string() }),
  audit: ['path'],
  run: async ({ path }) => {
    if (path === '/missing') throw new ToolError('there is no such file');
    if (path === '/fault') throw new Error(CANARY);
    return { text: CANARY.repeat(10) };
  },
});

const ask = defineTool({
  ...base,
  name: 'ask',
  input: z.object({}),
  run: async (_, context) => {
    await context.elicit('Go on?', z.object({ value: z.string() }));
    return { text: 'done' };
  },
});

async function start(settings: Environment = {}, variable = 'ISSUER') {
  const folder = mkdtempSync(join(tmpdir(), 'audit-'));
  const file = join(folder, 'audit.jsonl');
  let handler: RequestListener = () => {};
  const server = await serve((request, response) => handler(request, response));
  const [issuer, key, clock] = [await startIssuer(), await signingKey('key-1'), new FakeClock()];
  issuer.keys.push(key.publicJwk);
  const audit = { AUDIT: 'file', AUDIT_FILE: file, AUDIT_KEY: KEY };
  const env = { PUBLIC_URL: server.url, [variable]: issuer.url, NODE_ENV: 'test', ...audit, ...settings };
  const lines: string[] = [];
  const log = createLogger('mcp-server', 'info', { write: (line) => void lines.push(line) });
  const service = await compose(env, { clock, log, catalog: createCatalog([read, ask]) });
  handler = service.handler;
  const now = clock.now() / 1000;
  const claims = { iss: issuer.url, aud: `${server.url}/mcp`, sub: 'person-1', client_id: 'client-1' };
  const token = (scope = 'mcp:tools', sub = 'person-1', more: object = {}) =>
    signToken({ key, claims: { ...claims, sub, scope, iat: now, exp: now + 600, ...more } });
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    service.drain();
    await server.close();
    await service.close();
    await issuer.close();
  };
  return {
    url: server.url,
    issuer: issuer.url,
    env,
    lines,
    now,
    token,
    publishList: () => publishList({ issuer, key }, clock),
    /** Ends the service, which writes what is waiting. */
    entries: async (): Promise<Record<string, unknown>[]> => {
      await close();
      return readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    },
    text: () => readFileSync(file, 'utf8'),
    [Symbol.asyncDispose]: async () => {
      await close();
      rmSync(folder, { recursive: true });
    },
  };
}

const bearer = (token: string) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

async function connected(url: string, token: string) {
  const client = new Client({ name: 'test', version: '0' });
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), bearer(token));
  await client.connect(transport);
  return { client, transport };
}

describe('the audit of mcp-server', () => {
  it('each call of a tool has an entry with who, outcome, duration and sizes, and only the arguments that the tool names', async () => {
    await using mcp = await start();
    const { client, transport } = await connected(mcp.url, await mcp.token());
    const call = (path: string, more: object = { password: CANARY }) =>
      client.callTool({ name: 'read', arguments: { path, ...more } });
    for (const path of ['/ok', '/missing', '/fault']) await call(path);
    await call('/invalid', {});
    await transport.terminateSession();
    await client.close();
    const entries = await mcp.entries();
    const of = (event: string) => entries.filter((entry) => entry.event === event);
    expect(of('tool.called')).toEqual(
      [
        ['/ok', 'ok', undefined],
        ['/missing', 'failed', 'failed'],
        ['/fault', 'failed', 'fault'],
        ['/invalid', 'refused', 'invalid_arguments'],
      ].map(([path, outcome, reason]) =>
        expect.objectContaining({
          who: 'person-1',
          client: 'client-1',
          from: expect.stringMatching(/127\.0\.0\.1|::1/),
          resource: `${mcp.url}/mcp`,
          outcome,
          ...(reason && { reason }),
          reference: expect.stringMatching(/^[0-9a-f-]{36}$/),
          details: expect.objectContaining({ tool: 'read', ms: expect.any(Number), 'arguments.path': path }),
        }),
      ),
    );
    const [first] = of('tool.called');
    const given = JSON.stringify({ path: '/ok', password: CANARY }).length;
    const result = JSON.stringify({ content: [{ type: 'text', text: CANARY.repeat(10) }] }).length;
    expect(first?.details).toMatchObject({ argumentsSize: given, resultSize: result });
    expect(of('session.opened')).toEqual([expect.objectContaining({ outcome: 'ok', who: 'person-1' })]);
    expect(of('session.ended')).toHaveLength(1);
    expect(mcp.text()).not.toContain(CANARY);
  });

  it('MCP 2026-07-28 a call without a session has an entry too', async () => {
    await using mcp = await start();
    const message = modernRequest('tools/call', { name: 'read', arguments: { path: '/ok', password: CANARY } });
    const headers = { ...headersOf(message), authorization: `Bearer ${await mcp.token()}` };
    const answer = await fetch(`${mcp.url}/mcp`, { method: 'POST', headers, body: JSON.stringify(message) });
    expect(answer.status).toBe(200);
    await answer.text();
    expect(await mcp.entries()).toContainEqual(
      expect.objectContaining({
        event: 'tool.called',
        who: 'person-1',
        reference: answer.headers.get('x-request-id'),
      }),
    );
  });

  it('RFC 8693 §4.1 an entry names who acts for the person of an exchanged token, the last one first', async () => {
    await using mcp = await start();
    const message = modernRequest('tools/call', { name: 'read', arguments: { path: '/ok', password: CANARY } });
    const act = { sub: 'client-1', act: { sub: 'mcp-server', act: 'no actor' } };
    const token = await mcp.token('mcp:tools', 'person-1', { act });
    const headers = { ...headersOf(message), authorization: `Bearer ${token}` };
    await (await fetch(`${mcp.url}/mcp`, { method: 'POST', headers, body: JSON.stringify(message) })).text();
    const [entry] = (await mcp.entries()).filter(({ event }) => event === 'tool.called');
    expect(entry?.details).toMatchObject({ tool: 'read', actors: ['client-1', 'mcp-server'] });
  });

  it.each([
    ['ends the request', { elicitation: {} }],
    ['the client cannot answer', {}],
  ])('MCP 2026-07-28 a tool that ran up to a question which %s has an entry', async (_, capabilities) => {
    await using mcp = await start();
    const message = modernRequest('tools/call', { name: 'ask', arguments: {}, _meta: meta({}, capabilities) });
    const headers = { ...headersOf(message), authorization: `Bearer ${await mcp.token()}` };
    await (await fetch(`${mcp.url}/mcp`, { method: 'POST', headers, body: JSON.stringify(message) })).text();
    expect((await mcp.entries()).filter(({ event }) => event === 'tool.called')).toEqual([
      expect.objectContaining({ outcome: 'ok', reason: 'asked', details: expect.objectContaining({ tool: 'ask' }) }),
    ]);
  });

  it('refused tokens and missing scopes have an entry with the reason, a request without a token has none', async () => {
    await using mcp = await start();
    const ask = (token?: string) =>
      fetch(`${mcp.url}/mcp`, { method: 'POST', headers: token ? { authorization: `Bearer ${token}` } : {} });
    await ask();
    const forged = `${await mcp.token()}x${CANARY}`;
    expect((await ask(forged)).status).toBe(401);
    const message = modernRequest('tools/call', { name: 'read', arguments: {} });
    const headers = { ...headersOf(message), authorization: `Bearer ${await mcp.token('other')}` };
    await fetch(`${mcp.url}/mcp`, { method: 'POST', headers, body: JSON.stringify(message) });
    const refused = (await mcp.entries()).filter(({ event }) => event === 'access.refused');
    expect(refused.map(({ reason, who }) => [reason, who])).toEqual([
      ['bad_signature', undefined],
      ['insufficient_scope', 'person-1'],
    ]);
    expect(mcp.text()).not.toContain(CANARY);
  });

  it('a token that was revoked and is used all the same has an entry with its owner and client', async () => {
    await using mcp = await start();
    const list = await mcp.publishList();
    await list.publish([7]);
    const answer = await fetch(`${mcp.url}/mcp`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await mcp.token('mcp:tools', 'person-1', list.status(7))}` },
    });
    expect(answer.status).toBe(401);
    expect((await mcp.entries()).filter(({ event }) => event === 'access.refused')).toEqual([
      expect.objectContaining({ reason: 'revoked', who: 'person-1', client: 'client-1' }),
    ]);
  });

  it('with several issuers an entry says of whose person it is: two people may have one subject', async () => {
    await using other = await startIssuer();
    await using mcp = await start({ ISSUERS: 'a,b', ISSUER_B_URL: other.url }, 'ISSUER_A_URL');
    const message = modernRequest('tools/call', { name: 'read', arguments: { path: '/ok', password: CANARY } });
    const headers = { ...headersOf(message), authorization: `Bearer ${await mcp.token()}` };
    const answer = await fetch(`${mcp.url}/mcp`, { method: 'POST', headers, body: JSON.stringify(message) });
    expect(answer.status).toBe(200);
    await answer.text();
    const [called] = (await mcp.entries()).filter(({ event }) => event === 'tool.called');
    expect(called).toMatchObject({ who: 'person-1', details: { tool: 'read', issuer: mcp.issuer } });
  });

  it('each log line that names a security event has its entry with the same reference', async () => {
    await using mcp = await start();
    const { transport } = await connected(mcp.url, await mcp.token());
    // A session of somebody else: same id, another person.
    await fetch(`${mcp.url}/mcp`, {
      method: 'DELETE',
      headers: {
        authorization: `Bearer ${await mcp.token('mcp:tools', 'eve')}`,
        'mcp-session-id': String(transport.sessionId),
      },
    });
    const entries = await mcp.entries();
    const named = mcp.lines.map((line) => JSON.parse(line)).filter(({ security }) => security === true);
    expect(named).toHaveLength(1);
    for (const { request } of named) expect(entries.map(({ reference }) => reference)).toContain(request);
  });

  it('a session of another person and one beyond the limit are refused with an entry each', async () => {
    await using mcp = await start({ MAX_SESSIONS_PER_PRINCIPAL: '1', MAX_SESSIONS: '1' });
    const { transport } = await connected(mcp.url, await mcp.token());
    const eve = await mcp.token('mcp:tools', 'eve');
    const headers = { authorization: `Bearer ${eve}`, 'mcp-session-id': String(transport.sessionId) };
    const foreign = await fetch(`${mcp.url}/mcp`, { method: 'DELETE', headers });
    await expect(connected(mcp.url, eve)).rejects.toThrow();
    const refused = (await mcp.entries()).filter(({ event }) => event === 'session.refused');
    expect(refused).toEqual([
      expect.objectContaining({ who: 'eve', outcome: 'refused', reference: foreign.headers.get('x-request-id') }),
      expect.objectContaining({ who: 'eve', outcome: 'refused', reason: 'limit of the server' }),
    ]);
  });

  it('RFC 9449 §7.1 a stolen token with a proof of another key has an entry', async () => {
    await using mcp = await start();
    const [owner, thief] = [await keyHolder(), await keyHolder()];
    const token = await mcp.token('mcp:tools', 'person-1', { cnf: { jkt: owner.thumbprint } });
    const dpop = await thief.prove({ token, url: `${mcp.url}/mcp`, now: mcp.now });
    const headers = { authorization: `DPoP ${token}`, dpop };
    const answer = await fetch(`${mcp.url}/mcp`, { method: 'POST', headers });
    expect(answer.status).toBe(401);
    expect(await mcp.entries()).toContainEqual(
      expect.objectContaining({
        event: 'proof.refused',
        outcome: 'refused',
        who: 'person-1',
        reference: answer.headers.get('x-request-id'),
      }),
    );
  });

  it('the log names the head of the chain, and audit verify finds a cut end by it', async () => {
    await using mcp = await start();
    const { client } = await connected(mcp.url, await mcp.token());
    await client.callTool({ name: 'read', arguments: { path: '/ok', password: 'x' } });
    await client.close();
    const entries = await mcp.entries();
    const heads = mcp.lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'audit head');
    expect(heads.at(-1)).toMatchObject({ n: entries.length, writer: entries[0]?.writer });
    const commands = createCommands(async () => {});
    const verified = await run(commands, 'audit verify', mcp.env);
    expect(verified).toMatchObject({ status: 0, stderr: '' });
    expect(verified.stdout).toMatch(/ended in order\n\d+ entries of 1 processes: nothing is wrong\.\n$/);
    const shown = await run(commands, 'audit show --person person-1 --event tool.called', mcp.env);
    expect(shown.stdout).toMatch(/^AT +EVENT +OUTCOME .*\n\S+ +tool\.called +ok +person-1 +client-1 .*tool=read/);
  });
});
