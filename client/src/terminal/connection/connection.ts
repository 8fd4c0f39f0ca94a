/** Owns a connection with the official SDK: both eras, the tokens of the token file, and their renewal. */
import { setTimeout } from 'node:timers/promises';
import { StartError } from '@mcp-oauth/shared/errors';
import {
  type AuthProvider,
  Client,
  type ClientOptions,
  type ElicitRequest,
  type ElicitResult,
  ProtocolError,
  ProtocolErrorCode,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';
import { type EnterpriseDependencies, renewByEnterprise } from '../../enterprise/authorize.ts';
import { otherScheme } from '../../sign-in/discover.ts';
import { type Grant, isOfEnterprise, secretsOf } from '../../sign-in/grant.ts';
import { renew } from '../../sign-in/renew.ts';
import type { TokenFile } from '../../tokens/token-file.ts';
import { SignInNeeded, wantOf } from '../failure.ts';
import type { Person } from '../questions/person.ts';

export interface ConnectionOptions {
  readonly url: URL;
  readonly file: TokenFile;
  readonly access: EnterpriseDependencies;
  readonly version: string;
  /** A revision of MCP; absent: the newest that the server speaks. */
  readonly revision?: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly hide: (secrets: readonly string[]) => void;
  readonly person: Person;
  /** Ends what the connection still waits for. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

export interface Connection extends AsyncDisposable {
  readonly client: Client;
  readonly revision: string;
}

/** The first revision without sessions. */
const STATELESS = '2026-07-28';

function revisionOptions(
  revision: string | undefined,
): Pick<ClientOptions, 'versionNegotiation' | 'supportedProtocolVersions'> {
  if (revision === undefined) return { versionNegotiation: { mode: 'auto' } };
  if (revision >= STATELESS) return { versionNegotiation: { mode: { pin: revision } } };
  return { versionNegotiation: { mode: 'legacy' }, supportedProtocolVersions: [revision] };
}

export async function connect(
  options: ConnectionOptions,
  prepare: (client: Client) => void = () => {},
): Promise<Connection> {
  const { url, access, version, revision, person, signal, timeout, say } = options;
  const client = new Client(
    { name: 'mcp-oauth-client', version },
    { ...revisionOptions(revision), capabilities: { elicitation: { form: {}, url: {} } } },
  );
  client.setRequestHandler('elicitation/create', ({ params }) => answerOf(params, person));
  client.setNotificationHandler('notifications/elicitation/complete', ({ params }) =>
    person.completed(params.elicitationId),
  );
  client.fallbackRequestHandler = async ({ method }) => {
    say(`client: ${url.host} sends ${method}, which this client does not have: ${wantOf(method)}`);
    throw new ProtocolError(ProtocolErrorCode.MethodNotFound, `This client does not have ${method}`);
  };
  prepare(client);
  const auth = bearer(options);
  const transport = new StreamableHTTPClientTransport(url, {
    authProvider: auth,
    fetch: access.fetch,
    onInsufficientScope: 'throw',
    requestInit: { headers: { 'user-agent': `mcp-oauth-client/${version}` } },
  });
  const cancelled = sentCancellations(transport);
  await client.connect(transport, { timeout, signal });
  return {
    client,
    revision: client.getNegotiatedProtocolVersion() ?? '',
    [Symbol.asyncDispose]: async () => {
      // Renewed tokens that are not written are lost.
      await auth.settled();
      // The server may forget the session; if it can't be told in time, the session ends by itself.
      await Promise.race([
        cancelled()
          .then(() => transport.terminateSession())
          .catch(() => {}),
        setTimeout(LONGEST_END, undefined, { ref: false }),
      ]);
      await client.close();
    },
  };
}

/** Milliseconds. */
const LONGEST_END = 3_000;

/** The SDK does not wait for them, and a session that has ended would not take them. */
function sentCancellations(transport: Transport): () => Promise<unknown> {
  let last: Promise<unknown> = Promise.resolve();
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    const sent = send(message, options);
    if ('method' in message && message.method === 'notifications/cancelled') last = sent.catch(() => {});
    return sent;
  };
  return () => last;
}

async function answerOf(params: ElicitRequest['params'], person: Person): Promise<ElicitResult> {
  if (params.mode === 'url') {
    const { message, url, elicitationId: id } = params as { message: string; url: string; elicitationId?: string };
    return person.visit({ message, url, id });
  }
  const { message, requestedSchema: schema } = params;
  const answer = await person.fillIn({ message, schema: { ...schema } });
  return answer.action === 'accept' ? { action: 'accept', content: { ...answer.content } } : { action: answer.action };
}

/** Never signs in: a script would wait for a person. */
function bearer({ url, file, access, hide }: ConnectionOptions): AuthProvider & { settled(): Promise<unknown> } {
  const anew = (grant: Grant) =>
    isOfEnterprise(grant) ? renewByEnterprise(url, grant, access) : renew(url, grant, access.fetch, access.secret);
  let used: string | undefined;
  let renewal: Promise<unknown> = Promise.resolve();
  return {
    settled: () => renewal.catch(() => {}),
    token: async () => {
      const grant = await file.read();
      if (grant) hide(secretsOf(grant));
      used = grant?.tokens.access_token;
      return used;
    },
    onUnauthorized: async ({ response }) => {
      const problem = otherScheme(response);
      if (problem) throw new StartError(problem);
      if (used === undefined) throw new SignInNeeded('the server needs a sign-in');
      let isOver = false;
      renewal = file.update(async (now) => {
        // Another process has renewed the tokens, or signed in or out.
        if (now?.tokens.access_token !== used) return now;
        const renewed = now && (await anew(now));
        if (renewed) hide(secretsOf(renewed));
        isOver = !renewed;
        return renewed ?? now;
      });
      await renewal;
      if (isOver) throw new SignInNeeded('the sign-in has expired');
    },
  };
}
