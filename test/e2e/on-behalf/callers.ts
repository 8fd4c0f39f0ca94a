/** Owns what the participants do in a test of tools that act for people: clients call tools, people connect accounts, somebody exchanges. */
import { randomUUID } from 'node:crypto';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { importJWK, type JWK, SignJWT } from 'jose';
import { type Answer, McpSession, OAuthClient, send } from '../../support/oauth-client.ts';
import { type Page, Person } from '../../support/person.ts';
import { EXCHANGE_CLIENT, type World } from './world.ts';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

export interface Caller {
  readonly name: string;
  /** Their browser. */
  readonly person: Person;
  readonly client: OAuthClient;
  readonly token: string;
  readonly refreshToken: string;
  /** A session without elicitation. */
  readonly session: McpSession;
}

export async function signedIn(
  { stack }: World,
  name: string,
  parameters: Record<string, string> = {},
  endpoint = `${stack.mcpUrl}/mcp`,
): Promise<Caller> {
  const client = await OAuthClient.register(stack);
  const person = new Person(new RegExp(name));
  const { access_token: token, refresh_token: refreshToken } = await client.tokens(parameters, person);
  return { name, person, client, token, refreshToken, session: await McpSession.open(endpoint, token) };
}

export interface ExchangeOptions {
  readonly client?: string;
  /** The key of the client assertion; `null` sends none. */
  readonly key?: JWK | null;
  readonly headers?: Record<string, string>;
}

/** An exchange as mcp-server sends it, with each member as the test wants it; `undefined` leaves it out. */
export async function exchange(
  world: World,
  parameters: Readonly<Record<string, string | undefined>>,
  { client = EXCHANGE_CLIENT, key = world.key, headers = {} }: ExchangeOptions = {},
): Promise<Answer> {
  const all: Record<string, string | undefined> = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: ACCESS_TOKEN,
    ...(key && {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertion(world, client, key),
    }),
    client_id: client,
    ...parameters,
  };
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(all)) if (value !== undefined) body.set(name, value);
  return send(`${world.stack.authUrl}/token`, { method: 'POST', body, headers });
}

async function assertion({ stack }: World, client: string, key: JWK): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid: key.kid ?? '' })
    .setIssuer(client)
    .setSubject(client)
    .setAudience(stack.authUrl)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(await importJWK(key, 'ES256'));
}

/** Opens the link as this person, and approves whatever is shown. @returns the page at which it ends */
export async function connect(person: Person, link: string, sign: RegExp): Promise<Page> {
  let page = await person.open(link, 'never:');
  for (let step = 0; step < 6; step += 1) {
    if (page instanceof URL) throw new Error(`it left for ${page}`);
    const button = [/^Connect/, /^Continue with/, /^Sign in/, sign].find((text) => hasButton(page as Page, text));
    if (!button) return page;
    page = await person.press(page, button, 'never:');
  }
  return page as Page;
}

/** A client (MCP 2025-11-25) that calls tools with a token, and opens each page that the server shows with `visit`. */
export async function opener({ stack }: World, token: string, visit: (url: string) => Promise<unknown>) {
  const visits: Promise<unknown>[] = [];
  const client = new Client({ name: 'opener', version: '1' }, { capabilities: { elicitation: { url: {} } } });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    if (params.mode !== 'url') throw new Error('a form');
    visits.push(visit(params.url));
    return { action: 'accept' };
  });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${stack.mcpUrl}/mcp`), { requestInit }) as never);
  return { client, visits };
}

/** What a person reads on a page. */
export const textOf = ({ body }: Page): string => body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

const hasButton = ({ body }: Page, text: RegExp): boolean =>
  [...body.matchAll(/<button[^>]*>([\s\S]*?)<\/button>/g)].some(([, label = '']) =>
    text.test(label.replace(/<[^>]*>/g, '').trim()),
  );

interface Result {
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever came
  readonly result: any;
  readonly error: { readonly message: string } | undefined;
}

/** The result of a call, from JSON or from the last event of a stream. */
export function resultOf({ status, text }: Answer): Result & { readonly status: number } {
  const [data = text] = text.match(/(?<=^data: ).+$/gm)?.slice(-1) ?? [];
  const { result, error } = JSON.parse(data || '{}') as Result;
  return { status, result, error };
}
