/** Owns a connection with the official SDK: both eras, the tokens of the token file, and their renewal. */
import { isObject } from '@mcp-oauth/shared/json';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import {
  type AuthProvider,
  Client,
  type ClientOptions,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { secretsOf } from '../sign-in/grant.ts';
import { renew } from '../sign-in/renew.ts';
import type { TokenFile } from '../tokens/token-file.ts';
import { SignInNeeded } from './failure.ts';
import type { Form, FormAnswer } from './form.ts';

export interface ConnectionOptions {
  readonly url: URL;
  readonly file: TokenFile;
  readonly fetch: Fetch;
  readonly version: string;
  /** A revision of MCP; absent: the newest that the server speaks. */
  readonly revision?: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly hide: (secrets: readonly string[]) => void;
  readonly fillIn: (form: Form) => Promise<FormAnswer>;
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
  const { url, fetch, version, revision, fillIn } = options;
  const client = new Client(
    { name: 'mcp-oauth-client', version },
    { ...revisionOptions(revision), capabilities: { elicitation: { form: {} } } },
  );
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    const { message, requestedSchema: schema } = params as { message: string; requestedSchema?: unknown };
    const answer = isObject(schema) ? await fillIn({ message, schema }) : { action: 'decline' as const };
    return answer.action === 'accept'
      ? { action: 'accept', content: { ...answer.content } }
      : { action: answer.action };
  });
  prepare(client);
  const transport = new StreamableHTTPClientTransport(url, {
    authProvider: bearer(options),
    fetch,
    onInsufficientScope: 'throw',
    requestInit: { headers: { 'user-agent': `mcp-oauth-client/${version}` } },
  });
  await client.connect(transport, { timeout: options.timeout });
  return {
    client,
    revision: client.getNegotiatedProtocolVersion() ?? '',
    [Symbol.asyncDispose]: async () => {
      // The server may forget the session; if it can't be told, the session ends by itself.
      await transport.terminateSession().catch(() => {});
      await client.close();
    },
  };
}

/** Never signs in: a script would wait for a person. */
function bearer({ file, fetch, hide }: ConnectionOptions): AuthProvider {
  let used: string | undefined;
  return {
    token: async () => {
      const grant = await file.read();
      if (grant) hide(secretsOf(grant));
      used = grant?.tokens.access_token;
      return used;
    },
    onUnauthorized: async () => {
      if (used === undefined) throw new SignInNeeded('the server needs a sign-in');
      let isOver = false;
      await file.update(async (now) => {
        // Another process has renewed the tokens, or signed in or out.
        if (now?.tokens.access_token !== used) return now;
        const renewed = now && (await renew(now, fetch));
        if (renewed) hide(secretsOf(renewed));
        isOver = !renewed;
        return renewed ?? now;
      });
      if (isOver) throw new SignInNeeded('the sign-in has expired');
    },
  };
}
