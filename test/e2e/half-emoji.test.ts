/**
 * Proves that no answer, event or header of MCP contains a lone surrogate (RFC 8259 §8.2), which makes strict parsers
 * (pydantic, serde_json) refuse the whole message. Real processes, with mounted files whose authors cut an emoji in two
 * wherever they can.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderOf } from '../../mcp-server/test/support/definition-folder.ts';
import { headersOf, meta } from '../../mcp-server/test/support/stateless-harness.ts';
import { type Answer, initialize, McpSession, OAuthClient, postJson } from '../support/oauth-client.ts';
import { openSse, type SseStream } from '../support/sse-stream.ts';
import { Stack } from '../support/stack.ts';

const HALF = '\ud83d';
const REPLACED = '\ufffd';

const folder = folderOf({
  'cut.tool.ts': `import { defineTool, ToolError } from '@mcp-oauth/mcp-server/define';
    import { z } from 'zod';
    const half = 'Elephants 🐘'.slice(0, 11);
    export default defineTool({
      name: 'cut', title: half, description: half,
      input: z.object({ how: z.string() }),
      run: async ({ how }, { progress, log, elicit }) => {
        if (how === 'text') return { text: half };
        if (how === 'content') return { content: [{ type: 'text', text: half, _meta: { [half]: half } }] };
        if (how === 'structured') return { structured: { [half]: { deep: [half] } } };
        if (how === 'error') throw new ToolError(half);
        if (how === 'progress') await progress(1, 2, half);
        if (how === 'log') await log('error', { [half]: half });
        if (how === 'elicit') await elicit(half, z.object({ a: z.string().meta({ title: half }) }), half);
        return { text: 'said: ' + how };
      },
    });`,
  'cut.resource.ts': `import { defineResource } from '@mcp-oauth/mcp-server/define';
    export default defineResource({
      name: 'cut', title: '\\ud83d', description: '\\ud83d', uri: 'cut://text', mimeType: 'text/plain',
      read: () => ({ text: '\\ud83d' }),
    });`,
  'cut.prompt.ts': `import { definePrompt } from '@mcp-oauth/mcp-server/define';
    import { z } from 'zod';
    export default definePrompt({
      name: 'cut', title: '\\ud83d', description: '\\ud83d',
      arguments: z.object({ a: z.string().describe('\\ud83d') }),
      complete: { a: () => ['\\ud83d'] },
      render: ({ a }) => [{ role: 'user', content: { type: 'text', text: '\\ud83d' + a } }],
    });`,
});

interface Asked {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const tool = (how: string): Asked => ({ method: 'tools/call', params: { name: 'cut', arguments: { how } } });

const rows: Readonly<Record<string, Asked>> = {
  'the text of a tool': tool('text'),
  'content of a tool, and names of its members': tool('content'),
  'structured content, and the text that stands for it': tool('structured'),
  'a failure that a tool words': tool('error'),
  progress: tool('progress'),
  'log messages': tool('log'),
  'an argument that a tool repeats': tool(HALF),
  'an unknown argument that an error repeats': {
    method: 'tools/call',
    params: { name: 'cut', arguments: { how: 'text', [HALF]: 1 } },
  },
  'an unknown tool that an error repeats': { method: 'tools/call', params: { name: `x${HALF}`, arguments: {} } },
  'titles and descriptions of tools': { method: 'tools/list', params: {} },
  'titles and descriptions of resources': { method: 'resources/list', params: {} },
  'titles and descriptions of prompts and their arguments': { method: 'prompts/list', params: {} },
  'the text of a resource': { method: 'resources/read', params: { uri: 'cut://text' } },
  'an unknown resource that an error repeats': { method: 'resources/read', params: { uri: `cut://${HALF}` } },
  'messages of a prompt': { method: 'prompts/get', params: { name: 'cut', arguments: { a: HALF } } },
  'an unknown prompt that an error repeats': { method: 'prompts/get', params: { name: HALF } },
  'values of a completion': {
    method: 'completion/complete',
    params: { ref: { type: 'ref/prompt', name: 'cut' }, argument: { name: 'a', value: HALF } },
  },
  'an unknown argument that a completion repeats': {
    method: 'completion/complete',
    params: { ref: { type: 'ref/prompt', name: 'cut' }, argument: { name: HALF, value: '' } },
  },
};

function expectWellFormed({ text, headers }: Pick<Answer, 'text' | 'headers'>): void {
  expect(text).not.toContain('\\ud');
  expect(text).toContain(REPLACED);
  for (const [name, value] of headers) expect(value, name).toMatch(/^[\x20-\x7e]*$/);
}

describe('half of an emoji in a request or a result', () => {
  let stack: Stack;
  let token: string;
  let session: McpSession;
  let sse: SseStream;
  const authorization = () => ({ authorization: `Bearer ${token}` });
  const postSse = (message: object) => postJson(sse.endpoint, message, authorization());
  const modern = (method: string, params: object, more: object = {}, capabilities: object = {}) => {
    const message = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta(more, capabilities) } };
    const { name, uri } = params as { name?: string; uri?: string };
    const named = name ?? uri;
    const encoded = named && { 'mcp-name': `=?base64?${Buffer.from(named).toString('base64')}?=` };
    return postJson(`${stack.mcpUrl}/mcp`, message, { ...headersOf(message), ...encoded, ...authorization() });
  };

  beforeAll(async () => {
    stack = await Stack.start({ TOOLS_DIR: folder.path });
    token = (await (await OAuthClient.register(stack)).tokens()).access_token;
    session = await McpSession.open(`${stack.mcpUrl}/mcp`, token);
    sse = await openSse(stack, token);
    await postSse(initialize('2024-11-05'));
    await sse.next();
  });
  afterAll(async () => {
    sse.close();
    await stack[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  describe.each(Object.entries(rows))('RFC 8259 §8.2 a lone surrogate is never sent in %s', (_, { method, params }) => {
    const asked = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: { progressToken: 1 } } };

    it('a session sends no lone surrogate', async () => {
      expectWellFormed(await session.post(asked));
    });

    it('a session over HTTP+SSE sends no lone surrogate', async () => {
      await postSse(asked);
      const heard: string[] = [];
      while (!heard.at(-1)?.includes('"id":1')) heard.push((await sse.next()).data);
      expectWellFormed({ text: heard.join('\n'), headers: new Headers() });
    });

    it('a stateless answer (MCP 2026-07-28) has no lone surrogate', async () => {
      // A header cannot carry a lone surrogate, so a request that would repeat it is refused first; the error names
      // only the header.
      const answer = await modern(method, params, { progressToken: 1, 'io.modelcontextprotocol/logLevel': 'debug' });
      expect(answer.text).not.toContain('\\ud');
      const named = String(params.name ?? params.uri ?? '');
      if (named.isWellFormed()) expectWellFormed(answer);
      else expect(answer.json.error).toMatchObject({ code: -32020 });
    });
  });

  it('RFC 8259 §8.2 a question has no lone surrogate, and its answer is found under the key that was sent', async () => {
    const { method, params } = tool('elicit');
    const first = await modern(method, params, {}, { elicitation: {} });
    expectWellFormed(first);
    const { inputRequests, requestState } = first.json.result as { inputRequests: object; requestState: string };
    const [key = ''] = Object.keys(inputRequests);
    const inputResponses = { [key]: { action: 'accept', content: { a: 'b' } } };
    const second = await modern(method, { ...params, inputResponses, requestState }, {}, { elicitation: {} });
    expect(second.json.result).toMatchObject({ content: [{ text: 'said: elicit' }] });
  });

  it('RFC 8259 §8.2 a challenge has no lone surrogate, whatever tool name was asked for', async () => {
    const { status, headers } = await postJson(`${stack.mcpUrl}/mcp`, { jsonrpc: '2.0', id: 1, method: HALF });
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toMatch(/^[\x20-\x7e]+$/);
  });
});
