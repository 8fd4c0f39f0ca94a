/**
 * Owns how a test drives each real MCP client: the SDKs' own clients, v1 and v2, over each transport that they have.
 */
import * as v2 from '@modelcontextprotocol/client';
import { auth, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { ClientState } from './client-state.ts';

interface Result {
  readonly isError: boolean;
  readonly text: string;
  readonly structured: unknown;
}

export interface Connected {
  tools(): Promise<string[]>;
  call(name: string, input: object, onProgress?: (progress: number) => void): Promise<Result>;
  close(): Promise<void>;
}

export interface Driver {
  readonly name: string;
  readonly path: string;
  /** @throws the client's own error when a person has to sign in first */
  connect(url: URL, state: ClientState): Promise<Connected>;
  /** Passes the authorization response to the client. */
  finish(url: URL, state: ClientState, answer: URL): Promise<void>;
  /** Requests a wider scope, as a client does after 403 insufficient_scope. */
  stepUp(url: URL, state: ClientState, scope: string): Promise<void>;
  isUnauthorized(error: unknown): boolean;
}

const confirm = { action: 'accept', content: { confirmed: true } } as const;
const capabilities = { elicitation: {} };

const resultOf = (result: Readonly<Record<string, unknown>>): Result => ({
  isError: result.isError === true,
  text: ((result.content ?? []) as { text?: string }[]).map(({ text }) => text ?? '').join('\n'),
  structured: result.structuredContent,
});

type V1Transport = StreamableHTTPClientTransport | SSEClientTransport;

function clientV1(name: string, path: string, open: (url: URL, state: ClientState) => V1Transport): Driver {
  return {
    name,
    path,
    connect: async (url, state) => {
      const client = new Client({ name, version: '1.0.0' }, { capabilities });
      client.setRequestHandler(ElicitRequestSchema, () => confirm);
      await client.connect(open(url, state));
      return {
        tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
        call: async (tool, input, onProgress) => {
          const onprogress = onProgress && { onprogress: ({ progress }: { progress: number }) => onProgress(progress) };
          const params = { name: tool, arguments: input as Record<string, unknown> };
          return resultOf(await client.callTool(params, undefined, onprogress));
        },
        close: () => client.close(),
      };
    },
    finish: (url, state, answer) => open(url, state).finishAuth(answer.searchParams.get('code') ?? ''),
    stepUp: async (url, state, scope) => {
      // SDK v1 refreshes whenever it can, which never widens a scope: a host has to delete its tokens first.
      delete state.stored.tokens;
      await auth(state.provider(name), { serverUrl: url, scope });
    },
    isUnauthorized: (error) => error instanceof UnauthorizedError,
  };
}

const v2Transport = (url: URL, state: ClientState, name: string) =>
  new v2.StreamableHTTPClientTransport(url, { authProvider: state.provider(name) });

function clientV2(name: string, path: string): Driver {
  return {
    name,
    path,
    connect: async (url, state) => {
      const client = new v2.Client({ name, version: '2.0.0' }, { capabilities, versionNegotiation: { mode: 'auto' } });
      client.setRequestHandler('elicitation/create', () => confirm);
      await client.connect(v2Transport(url, state, name));
      return {
        tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
        call: async (tool, input, onProgress) => {
          const onprogress = onProgress && { onprogress: ({ progress }: { progress: number }) => onProgress(progress) };
          return resultOf(await client.callTool({ name: tool, arguments: input as v2.JSONObject }, onprogress));
        },
        close: () => client.close(),
      };
    },
    finish: (url, state, answer) => v2Transport(url, state, name).finishAuth(answer.searchParams),
    stepUp: async (url, state, scope) => {
      await v2.auth(state.provider(name), { serverUrl: url, scope, forceReauthorization: true });
    },
    isUnauthorized: (error) => error instanceof v2.UnauthorizedError,
  };
}

const streamableV1 = (url: URL, state: ClientState) =>
  new StreamableHTTPClientTransport(url, { authProvider: state.provider('SDK v1') });
const sseV1 = (url: URL, state: ClientState) => new SSEClientTransport(url, { authProvider: state.provider('SDK v1') });

export const drivers: readonly Driver[] = [
  clientV1('SDK v1, Streamable HTTP at /mcp', '/mcp', streamableV1),
  clientV1('SDK v1, HTTP+SSE at /sse', '/sse', sseV1),
  clientV1('SDK v1, Streamable HTTP at /sse', '/sse', streamableV1),
  clientV2('SDK v2, Streamable HTTP at /mcp', '/mcp'),
];
