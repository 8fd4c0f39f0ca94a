/**
 * Owns a whole server inside the process of a command: composed like the real one, on a loopback port that nobody knows. The command
 * sends requests to it and learns what the engine decided, so that no rule exists twice.
 */
import { request as send } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Clock, systemClock } from '@mcp-oauth/shared/clock';
import { StartError } from '@mcp-oauth/shared/errors';
import { listen } from '@mcp-oauth/shared/http/server';
import type { JsonObject } from '@mcp-oauth/shared/json';
import { createLogger } from '@mcp-oauth/shared/logger';
import { createOutgoingFetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import type { ClientDocuments } from '../../client-documents/client-documents.ts';
import { ClientDocumentError } from '../../client-documents/document-error.ts';
import type { Config } from '../../config.ts';
import { createClientRecords } from '../../provider/records/client-records.ts';
import type { CreateRateLimit } from '../../storage/rate-limit.ts';
import type { RecordStore } from '../../storage/record-store.ts';
import { composeClients } from '../clients.ts';
import { compose, type Overrides } from '../compose.ts';

interface Question {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  /** The JSON of the answer; empty for any other. */
  readonly body: JsonObject;
  /** What the server logged for it. */
  readonly log: readonly JsonObject[];
  /** Parameters of the authorization request that now waits for a person; absent: the request was refused. */
  readonly waiting?: JsonObject | undefined;
}

/** What this server knows about a client. */
export interface KnownClient {
  readonly kind: 'document' | 'operator' | 'registered';
  readonly metadata: JsonObject;
}

export interface InProcessServer {
  /** The warnings of its log, since its start. */
  readonly warnings: readonly JsonObject[];
  /** @param path below the issuer */
  ask(path: string, question?: Question): Promise<Answer>;
  /** The metadata of a client; for one with a document the server must have accepted it before. */
  client(id: string): Promise<KnownClient | undefined>;
  /** Makes an initial access token for one registration at this server only. */
  initialAccessToken(): Promise<string>;
}

interface InProcessOptions {
  readonly env: Environment;
  readonly config: Config;
  /** Receives whatever the server writes; the caller closes it. */
  readonly store: RecordStore;
  readonly clock?: Clock;
  readonly fetch?: Overrides['fetch'];
}

/** Limits protect against strangers, and the operator of a command is none. */
const unlimited: CreateRateLimit = () => ({ take: async () => 0 });

/** @throws StartError for every configuration with which the server would not start */
export async function withInProcessServer<T>(
  { env, config, store, clock = systemClock, fetch = createOutgoingFetch(config) }: InProcessOptions,
  work: (server: InProcessServer) => Promise<T>,
): Promise<T> {
  let lines: JsonObject[] = [];
  const warnings: JsonObject[] = [];
  const write = (text: string): void => {
    const line: JsonObject = JSON.parse(text);
    lines.push(line);
    if (line.level === 'warn') warnings.push(line);
  };
  let waiting: JsonObject | undefined;
  const log = createLogger('auth-server', 'info', { write });
  const watched: RecordStore = {
    ...store,
    put: (kind, id, value, options) => {
      if (kind === 'Interaction') waiting = value.params as JsonObject;
      return store.put(kind, id, value, options);
    },
    close: async () => {},
  };
  const service = await compose(env, {
    log,
    audit: () => {},
    store: watched,
    clock,
    fetch,
    createRateLimit: unlimited,
    checksPersonalTokens: false,
  });
  const listening = await listen(service.handler, { ...service.listen, host: '127.0.0.1', port: 0, log });
  const clients = composeClients(config, { store, clock, log, createRateLimit: unlimited });
  const records = createClientRecords(store, {
    clientLifetime: config.clientLifetime,
    preRegistered: clients.preRegistered,
    cache: { forget: () => {} },
    clock,
  });
  const base = new URL(config.issuer).pathname.replace(/\/$/, '');
  const server: InProcessServer = {
    warnings,
    ask: async (path, question = {}) => {
      lines = [];
      waiting = undefined;
      const { status, body } = await exchange(listening.port, base + path, question);
      return { status, body, log: lines, waiting };
    },
    client: async (id) => {
      if (config.clientMetadata && id.startsWith('https://')) {
        // The engine has validated the document; this reads it again from the store.
        return { kind: 'document', metadata: await readAgain(clients.clientDocuments, id) };
      }
      const metadata = await records.find(id);
      return metadata && { kind: clients.preRegistered.has(id) ? 'operator' : 'registered', metadata };
    },
    initialAccessToken: async () => {
      const purpose = 'one request of a command';
      return (await clients.registration.initialAccessTokens.add({ purpose, lifetime: 60, uses: 1 })).token;
    },
  };
  try {
    return await work(server);
  } finally {
    service.drain();
    await listening.close();
    await service.close();
  }
}

async function readAgain(documents: ClientDocuments, id: string): Promise<JsonObject> {
  try {
    return await documents.metadata(id, () => {}, undefined);
  } catch (cause) {
    if (!(cause instanceof ClientDocumentError)) throw cause;
    throw new StartError(`${id} was read once and then not again (${cause.message}); try again`, { cause });
  }
}

/** Without `fetch`, which could send this request through a proxy. */
function exchange(port: number, path: string, { method = 'GET', headers = {}, body }: Question) {
  return new Promise<{ status: number; body: JsonObject }>((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers: { accept: 'application/json', ...headers } };
    const request = send(options, (response) => {
      text(response).then((said) => resolve({ status: response.statusCode ?? 0, body: parse(said) }), reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

function parse(said: string): JsonObject {
  try {
    return JSON.parse(said);
  } catch {
    return {};
  }
}
