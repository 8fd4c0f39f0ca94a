/** Owns a sign-in with the official SDK: registration, PKCE, the browser, the code; then a connection with the token. */
import { randomUUID } from 'node:crypto';
import {
  Client,
  type JSONObject,
  type OAuthClientProvider,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import { type Loopback, listenOnLoopback } from './loopback.ts';

export interface SignInOptions {
  /** Tells the person what to do. */
  readonly say: (line: string) => void;
  readonly browser: boolean;
  readonly clientId?: string;
  readonly call?: { readonly name: string; readonly input: Readonly<Record<string, unknown>> };
}

export interface SignInDependencies {
  readonly openBrowser: (url: URL) => void;
  /** The version of this client. */
  readonly version: string;
  /** For a network with a proxy. */
  readonly fetch?: typeof globalThis.fetch;
}

const NAME = 'mcp-oauth-doctor';
/** A person has to read, and may have to find a second factor. */
const PATIENCE = 5 * 60_000;
const LONGEST = 500;

type Provider = OAuthClientProvider & { readonly stored: { tokens?: { access_token: string } } };

export async function signIn(url: URL, options: SignInOptions, dependencies: SignInDependencies) {
  const state = randomUUID();
  await using loopback = await listenOnLoopback(state);
  const provider = providerOf(loopback, state, options, dependencies);
  const client = () =>
    new Client({ name: NAME, version: dependencies.version }, { versionNegotiation: { mode: 'auto' } });
  const transport = () =>
    new StreamableHTTPClientTransport(url, {
      authProvider: provider,
      ...(dependencies.fetch && { fetch: dependencies.fetch }),
    });
  const first = transport();
  try {
    await client().connect(first);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  const answer = await loopback.answer(PATIENCE);
  if (answer.has('error'))
    throw new Error([answer.get('error'), answer.get('error_description')].filter(Boolean).join(': '));
  await first.finishAuth(answer);
  const connected = client();
  await connected.connect(transport());
  try {
    const tools = (await connected.listTools()).tools.map(({ name }) => name);
    const called = options.call && (await call(connected, options.call));
    return { token: provider.stored.tokens?.access_token ?? '', tools, ...(called && { called }) };
  } finally {
    await connected.close();
  }
}

async function call(client: Client, { name, input }: NonNullable<SignInOptions['call']>) {
  const result = await client.callTool({ name, arguments: input as JSONObject });
  const content = (result.content ?? []) as readonly { readonly type: string; readonly text?: string }[];
  const text = content
    .map((block) => block.text ?? `[${block.type}]`)
    .join(' ')
    .slice(0, LONGEST);
  return { name, isError: result.isError === true, text };
}

/** Keeps everything in memory: the next run signs in anew. */
function providerOf(
  { redirectUrl }: Loopback,
  state: string,
  options: SignInOptions,
  { openBrowser }: SignInDependencies,
): Provider {
  const { say, browser, clientId } = options;
  const stored: Record<string, unknown> = clientId === undefined ? {} : { client: { client_id: clientId } };
  const keep = (name: string, value: unknown) => {
    stored[name] = value;
  };
  const provider = {
    stored,
    redirectUrl,
    clientMetadata: {
      client_name: NAME,
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
    state: () => state,
    clientInformation: () => stored.client,
    saveClientInformation: (client: unknown) => keep('client', client),
    tokens: () => stored.tokens,
    saveTokens: (tokens: unknown) => keep('tokens', tokens),
    saveCodeVerifier: (verifier: unknown) => keep('verifier', verifier),
    codeVerifier: () => stored.verifier,
    saveDiscoveryState: (discovery: unknown) => keep('discovery', discovery),
    discoveryState: () => stored.discovery,
    redirectToAuthorization: (url: URL) => {
      say(`Sign in here:\n\n  ${url.href}\n`);
      if (browser) openBrowser(url);
    },
  };
  return provider as unknown as Provider;
}
