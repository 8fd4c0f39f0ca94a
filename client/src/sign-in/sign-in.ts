/** Owns the sign-in of the doctor: a connection with the official SDK and the token, which is forgotten afterwards. */
import { Client, type JSONObject, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { authorize, type SignInDependencies } from './authorize.ts';

export interface SignInOptions {
  /** Tells the person what to do. */
  readonly say: (line: string) => void;
  readonly browser: boolean;
  readonly clientId?: string;
  readonly call?: { readonly name: string; readonly input: Readonly<Record<string, unknown>> };
}

const NAME = 'mcp-oauth-doctor';
const LONGEST = 500;

/** @param version of this program */
export async function signIn(url: URL, options: SignInOptions, dependencies: SignInDependencies & { version: string }) {
  const { fetch, version } = dependencies;
  const { say, browser, clientId, call: called } = options;
  const { tokens } = await authorize(url, { name: NAME, device: false, browser, clientId, say }, dependencies);
  const token = tokens.access_token;
  const client = new Client({ name: NAME, version }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider: { token: async () => token }, fetch }));
  try {
    const tools = (await client.listTools()).tools.map(({ name }) => name);
    const answer = called && (await call(client, called));
    return { token, tools, ...(answer && { called: answer }) };
  } finally {
    await client.close();
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
