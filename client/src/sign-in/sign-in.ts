/** Owns the sign-in of the doctor: a connection with the official SDK and the token, which is forgotten afterwards. */
import {
  Client,
  InsufficientScopeError,
  type JSONObject,
  SdkHttpError,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Transport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import { authorize, type SignInDependencies } from './authorize.ts';
import type { SecretPlace } from './client/secret.ts';

export interface SignInOptions {
  /** Tells the person what to do. */
  readonly say: (line: string) => void;
  /** Keeps texts from being shown. */
  readonly hide: (secrets: readonly string[]) => void;
  readonly browser: boolean;
  /** A code for another device, in place of the browser of this machine. */
  readonly device: boolean;
  readonly clientId?: string | undefined;
  /** One of the issuers that the server names; absent: the first. */
  readonly issuer?: string | undefined;
  /** Where the secret of `clientId` is read. */
  readonly secret?: SecretPlace | undefined;
  readonly call?: { readonly name: string; readonly input: Readonly<Record<string, unknown>> };
}

type Dependencies = SignInDependencies & { readonly version: string };

const NAME = 'mcp-oauth-doctor';
const LONGEST = 500;

/** @param version of this program. @throws if there is no token at the end; what the SDK can't do with it is in the result */
export async function signIn(url: URL, options: SignInOptions, dependencies: Dependencies) {
  const { say, hide, browser, device, clientId, secret, issuer } = options;
  const wish = { name: NAME, device, browser, clientId, secret, issuer, say, hide };
  const { tokens } = await authorize(url, wish, dependencies);
  const token = tokens.access_token;
  try {
    return { token, ...(await use(url, token, options, dependencies)) };
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error);
    return { token, failure: { says, refused: isRefusal(error) } };
  }
}

async function use(url: URL, token: string, { call: called }: SignInOptions, { fetch, version }: Dependencies) {
  const given = { authProvider: { token: async () => token }, fetch };
  const client = new Client({ name: NAME, version }, { versionNegotiation: { mode: 'auto' } });
  const former = new Client({ name: NAME, version });
  const connected = await connect(client, new StreamableHTTPClientTransport(url, given)).catch((error: unknown) => {
    // MCP 2025-03-26, "Backwards Compatibility": such an answer to the first POST is one of a server with HTTP+SSE.
    if (!FORMER.has(statusOf(error) ?? 0)) throw error;
    return connect(former, new SSEClientTransport(url, given));
  });
  try {
    const tools = (await connected.listTools()).tools.map(({ name }) => name);
    const answer = called && (await call(connected, called));
    return { tools, ...(answer && { called: answer }) };
  } finally {
    await connected.close();
  }
}

const connect = async (client: Client, transport: Transport): Promise<Client> => {
  await client.connect(transport);
  return client;
};

const FORMER: ReadonlySet<number> = new Set([400, 404, 405]);

/** The negotiation of a revision fails for the reason for which its request fails. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof SdkHttpError) return (error.data as { readonly status?: number }).status;
  return error instanceof Error && error.cause !== undefined ? statusOf(error.cause) : undefined;
}

/** Whether the server does not accept the token, which the step `initialize` explains. */
function isRefusal(error: unknown): boolean {
  if (error instanceof UnauthorizedError || error instanceof InsufficientScopeError) return true;
  if ([401, 403].includes(statusOf(error) ?? 0)) return true;
  return error instanceof Error && error.cause !== undefined && isRefusal(error.cause);
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
