/**
 * Owns many clients of both SDKs at once, each with a session, a standalone stream and a subscription to every coming
 * event: what they received, and the results of their calls.
 */
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';

/** The target of a crowd. */
export interface Host {
  /** URL of the MCP endpoint. */
  readonly url: URL;
  token(name: string): Promise<string>;
}

export interface Outcome {
  readonly label: string;
  readonly error?: string;
  /** Progress notifications that it received. */
  readonly steps: readonly number[];
}

export interface Member {
  readonly name: string;
  /** URIs of the change notifications that it received, in order. */
  readonly heard: string[];
  session(): string | undefined;
  call(label: string, steps: number, pause: number): Promise<Outcome>;
  announce(uri: string): Promise<void>;
  close(): Promise<void>;
}

interface AnyClient {
  callTool(call: { name: string; arguments: object }, ...more: never[]): Promise<unknown>;
  subscribeResource(params: { uri: string }): Promise<unknown>;
  close(): Promise<void>;
}

/** Milliseconds: longer than it takes to know that a replica is gone. */
const PATIENCE = 40_000;

/** A client that reconnects without a limit: a person would accept a few attempts, a test must not fail after them. */
const RECONNECTION = {
  initialReconnectionDelay: 200,
  maxReconnectionDelay: 1_000,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 100,
};

const transportOptions = (token: string) => ({
  requestInit: { headers: { authorization: `Bearer ${token}` } },
  reconnectionOptions: RECONNECTION,
});

/** SDK v1, and SDK v2 restricted to a revision with sessions. */
const KINDS = ['v1', 'v2'] as const;

/** And SDK v1 over HTTP+SSE. */
export type Kind = (typeof KINDS)[number] | 'sse';

/** Number of sessions that are opened concurrently. */
const BATCH = 20;

/** Opens so many clients, each subscribed to all of `uris`. */
export async function gather(
  host: Host,
  size: number,
  uris: readonly string[],
  kinds: readonly Kind[] = KINDS,
): Promise<readonly Member[]> {
  const crowd: Member[] = [];
  while (crowd.length < size) {
    const batch = Array.from({ length: Math.min(BATCH, size - crowd.length) }, (_, index) => {
      const kind = kinds[(crowd.length + index) % kinds.length] ?? 'v1';
      return join(host, `${kind}-${crowd.length + index}`, kind, uris);
    });
    crowd.push(...(await Promise.all(batch)));
  }
  return crowd;
}

interface Connected {
  readonly client: AnyClient;
  session(): string | undefined;
  /** For a call, where the client does not report everything. */
  readonly stepsOf?: (label: string) => readonly number[];
}

type Connect = (url: URL, token: string, heard: string[]) => Promise<Connected>;

const CONNECT: Readonly<Record<Kind, Connect>> = { v1: connectV1, v2: connectV2, sse: connectSse };

async function join(host: Host, name: string, kind: Kind, uris: readonly string[]): Promise<Member> {
  const token = await host.token(name);
  const heard: string[] = [];
  const { client, session, stepsOf: stepsFrom } = await CONNECT[kind](host.url, token, heard);
  for (const uri of uris) await client.subscribeResource({ uri });
  const call = async (label: string, steps: number, pause: number): Promise<Outcome> => {
    const told: number[] = [];
    const stepsOf = () => stepsFrom?.(label) ?? told;
    const options = {
      timeout: PATIENCE,
      onprogress: ({ progress }: { progress: number }) => told.push(progress),
    };
    const given = { name: 'slow', arguments: { label, steps, pause } };
    const rest = (kind === 'v2' ? [options] : [undefined, options]) as never[];
    try {
      await client.callTool(given, ...rest);
      return { label, steps: stepsOf() };
    } catch (error) {
      const { message, cause } = error as Error;
      return { label, steps: stepsOf(), error: cause ? `${message}: ${cause}` : message };
    }
  };
  return {
    name,
    heard,
    session,
    call,
    announce: async (uri) => {
      const result = (await client.callTool({ name: 'announce', arguments: { label: uri, uri } })) as {
        isError?: boolean;
      };
      if (result.isError) throw new Error('not announced');
    },
    close: () => client.close(),
  };
}

async function connectV1(url: URL, token: string, heard: string[]): Promise<Connected> {
  const client = new Client({ name: 'v1', version: '0' });
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri));
  const transport = new StreamableHTTPClientTransport(url, transportOptions(token));
  await client.connect(transport as Parameters<Client['connect']>[0]);
  return { client: client as unknown as AnyClient, session: () => transport.sessionId };
}

async function connectV2(url: URL, token: string, heard: string[]): Promise<Connected> {
  const client = new ModernClient({ name: 'v2', version: '0' }, { versionNegotiation: { mode: 'legacy' } });
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri));
  const transport = new ModernTransport(url, transportOptions(token));
  await client.connect(transport);
  return { client: client as unknown as AnyClient, session: () => transport.sessionId };
}

/** This client drops progress that arrives in one chunk with the answer, so it is read from its transport. */
async function connectSse(url: URL, token: string, heard: string[]): Promise<Connected> {
  const client = new Client({ name: 'sse', version: '0' });
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri));
  let session: string | undefined;
  const labels = new Map<unknown, string>();
  const steps = new Map<string, number[]>();
  const transport = new SSEClientTransport(new URL('/sse', url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    fetch: (to, init) => {
      session = new URL(to).searchParams.get('sessionId') ?? session;
      const { params } = init?.body ? JSON.parse(String(init.body)) : {};
      if (params?.arguments?.label) labels.set(params._meta?.progressToken, params.arguments.label);
      return fetch(to, init);
    },
  });
  await client.connect(transport);
  const { onmessage } = transport;
  transport.onmessage = (message) => {
    const { progressToken, progress } = ('params' in message ? message.params : {}) as Record<string, unknown>;
    const label = labels.get(progressToken) ?? '';
    if (typeof progress === 'number') steps.set(label, [...(steps.get(label) ?? []), progress]);
    onmessage?.(message);
  };
  const stepsOf = (label: string) => steps.get(label) ?? [];
  return { client: client as unknown as AnyClient, session: () => session, stepsOf };
}
