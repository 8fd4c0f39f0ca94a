/**
 * Proves that tools are added without a fork: files in a mounted folder, with the real processes. Their scopes are
 * shown to the person who signs in, and an edit reaches connected clients.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderOf, toolFile } from '../../mcp-server/test/support/definition-folder.ts';
import { McpSession, OAuthClient, send } from '../support/oauth-client.ts';
import { Run, Stack } from '../support/stack.ts';

const PATIENTLY = { timeout: 30_000 };

const elsewhere = folderOf({ 'x.ts': "import { z } from 'zod'; export const x = z;" });
const folder = folderOf({
  'room.tool.ts': `import { words as other } from './words.ts';
    ${toolFile('room', '', "scope: ['rooms:read', 'rooms:book'],").replace('text: words', 'text: other')}`,
  'words.ts': "export const words: string = 'one';",
  'open.tool.ts': toolFile('open'),
  'two.tool.ts': toolFile('two', 'done')
    .replace('import { z }', "import { setTimeout } from 'node:timers/promises';\n  import { z }")
    .replace(
      'run: ({ fail }) => {',
      `run: async ({ fail }, { signal, progress }) => {
        const [first, second] = [1, 2].map((n) => setTimeout(600_000, n, { signal }).then((m) => m));
        await progress(0);
        await first;
        await second;`,
    ),
  'enum.tool.ts': 'enum X { a } export default X;',
  'misspelt.tool.ts': toolFile('misspelt', 'unguarded', "scopes: ['rooms:read'],"),
  'odd.tool.ts': toolFile('odd').replace('text: words', 'txet: words'),
  'stray.tool.ts': `import { x } from '${elsewhere.url.href}x.ts'; export default x;`,
});
const copy = join(folder.path, 'node_modules/@mcp-oauth/mcp-server');
mkdirSync(copy, { recursive: true });
writeFileSync(join(copy, 'package.json'), '{"name":"@mcp-oauth/mcp-server","exports":{"./define":"./define.js"}}');
writeFileSync(join(copy, 'define.js'), 'throw new Error("the copy of an author");');

describe('a mounted folder of tools', () => {
  let stack: Stack;
  const open = async (scope: string) => {
    const { access_token: token } = await (await OAuthClient.register(stack)).tokens({ scope });
    return McpSession.open(`${stack.mcpUrl}/mcp`, token);
  };
  const textOf = ({ json }: Awaited<ReturnType<McpSession['call']>>) =>
    (json as { result?: { content: { text: string }[] } }).result?.content[0]?.text;

  beforeAll(async () => {
    stack = await Stack.start({ TOOLS_DIR: folder.path, SCOPE_HIERARCHY: 'rooms:all>rooms:read' });
  });
  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
    elsewhere[Symbol.dispose]();
  });

  it('the server starts and names every file that it cannot use', async () => {
    await Promise.all([
      stack.run.says('TypeScript enum is not supported'),
      stack.run.says("Cannot find package 'zod'"),
      stack.run.says('enum.tool.ts'),
      stack.run.says('stray.tool.ts'),
    ]);
  });

  it('a tool with a misspelt scope is never served, and the log has the suggestion', async () => {
    await Promise.all([stack.run.says('misspelt.tool.ts'), stack.run.says('did you mean "scope"')]);
    const { json } = await (await open('mcp:tools')).call('misspelt', {});
    expect(json.error).toMatchObject({ code: -32602, message: 'Unknown tool: misspelt' });
  });

  it('an invalid tool result is reported under a reference that the log has', async () => {
    const { json } = await (await open('mcp:tools')).call('odd', {});
    const { isError, content } = json.result as { isError: boolean; content: { text: string }[] };
    expect([isError, content[0]?.text]).toEqual([true, expect.stringContaining('did you mean "text"')]);
    const [, reference = 'none'] = /reference (\w+)/.exec(content[0]?.text ?? '') ?? [];
    await stack.run.says(reference);
  });

  it('RFC 9728 §2 the scopes of mounted tools are offered at sign-in', async () => {
    const scopes = ['mcp:admin', 'mcp:tools', 'rooms:all', 'rooms:book', 'rooms:read'];
    const { json } = await send(`${stack.mcpUrl}/.well-known/oauth-protected-resource/mcp`);
    expect(json.scopes_supported).toEqual(scopes);
    const server = await send(`${stack.authUrl}/.well-known/oauth-authorization-server`);
    expect(server.json.scopes_supported).toEqual(expect.arrayContaining(scopes));
  });

  it("MCP 2025-11-25 basic/authorization a tool's scopes are demanded before it runs, and then it runs", async () => {
    const plain = await open('mcp:tools');
    expect(textOf(await plain.call('open', {}))).toBe('hello');
    const { status, headers } = await plain.call('room', {});
    expect([status, headers.get('www-authenticate')]).toEqual([
      403,
      expect.stringContaining('scope="mcp:tools rooms:book rooms:read"'),
    ]);
    const session = await open('mcp:tools rooms:read rooms:book');
    expect(textOf(await session.call('room', {}))).toBe('one');
  });

  it('a higher scope includes the scopes below it', async () => {
    const session = await open('mcp:tools rooms:all rooms:book');
    expect(textOf(await session.call('room', {}))).toBe('one');
  });

  it('the server recognizes its own error classes, although the tool folder has a copy of the package', async () => {
    const { json } = await (await open('mcp:tools')).call('open', { fail: true });
    expect(json.result).toEqual({ isError: true, content: [{ type: 'text', text: 'as asked' }] });
  });

  it('MCP basic/utilities/cancellation a tool that waits for two things in turn does not end the server when it is cancelled', async () => {
    const session = await open('mcp:tools');
    const params = { name: 'two', arguments: {}, _meta: { progressToken: 1 } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params });
    const headers = {
      ...session.headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    const stream = await fetch(session.url, { method: 'POST', headers, body });
    await session.post({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 7, reason: 'enough' },
    });
    await stack.run.says('the error of a cancelled operation was not handled');
    expect(await stream.text()).not.toContain('done');
    expect(textOf(await session.call('open', {}))).toBe('hello');
  });

  it('a changed file is read again with its imports, and clients are told of a changed list', async () => {
    const session = await open('mcp:tools rooms:read rooms:book');
    const headers = { ...session.headers, accept: 'text/event-stream' };
    const stream = await fetch(session.url, { headers, signal: AbortSignal.timeout(60_000) });
    folder.write('words.ts', "export const words: string = 'two';");
    await expect.poll(async () => textOf(await session.call('room', {})), PATIENTLY).toBe('two');
    folder.write('late.tool.ts', toolFile('late', 'just came'));
    let heard = '';
    for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      heard += chunk;
      if (heard.includes('notifications/tools/list_changed')) break;
    }
    expect(heard).toContain('notifications/tools/list_changed');
    await expect.poll(async () => textOf(await session.call('late', {})), PATIENTLY).toBe('just came');
  });
});

describe('TOOLS_DIR_STRICT', () => {
  it('TOOLS_DIR_STRICT prevents the start and names each invalid file', async () => {
    using broken = folderOf({ 'a.tool.ts': 'export default {{;', 'b.tool.ts': toolFile('two words') });
    const [port] = await freePorts(1);
    const env = { TOOLS_DIR: broken.path, TOOLS_DIR_STRICT: 'true', PORT: String(port) };
    const { code, output } = await new Run(env, 'mcp-server/src/main.ts').ended;
    expect(code).toBe(1);
    for (const name of ['a.tool.ts', 'b.tool.ts']) expect(output).toContain(join(broken.path, name));
  });
});
