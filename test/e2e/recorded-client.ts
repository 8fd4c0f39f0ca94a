/** Owns an MCP client in a test that sends exactly what a file in test/clients records (its README has the format). */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { z } from 'zod';
import type { ClientHost } from '../../auth-server/test/support/client-host.ts';
import { type Answer, postJson, send } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { ROOT } from '../support/stack.ts';

const members = z.record(z.string(), z.string());
const request = z.strictObject({ headers: members.optional(), body: members });

const flow = z
  .strictObject({
    name: z.string(),
    registration: z
      .strictObject({
        headers: members.optional(),
        body: z.record(z.string(), z.unknown()),
        answer: z.record(z.string(), z.unknown()).optional(),
      })
      .optional(),
    document: z.record(z.string(), z.unknown()).optional(),
    authorize: z.object({ redirect_uri: z.string() }).catchall(z.string()),
    token: request.extend({
      authentication: z.enum(['none', 'client_secret_post', 'client_secret_basic', 'private_key_jwt']),
    }),
    refresh: request.optional(),
    granted: z.string(),
    refused: z.array(z.strictObject({ because: z.string(), authorize: members, error: z.string() })).optional(),
  })
  .refine(({ registration, document }) => !registration !== !document, 'has one of registration and document');

const kinds = ['source code', 'captured', 'documentation', 'report', 'installed package'] as const;
const recording = z.strictObject({
  client: z.string(),
  sources: z
    .array(
      z.strictObject({
        of: z.string(),
        url: z.url({ protocol: /^https$/ }),
        date: z.iso.date().optional(),
        kind: z.enum(kinds),
      }),
    )
    .min(1),
  flows: z.array(flow).min(1),
});

export type Flow = z.output<typeof flow>;
export type Recording = z.output<typeof recording> & { readonly file: string };

/** Every file, sorted by name. */
export const recordings: readonly Recording[] = globSync('test/clients/*.json', { cwd: ROOT })
  .sort()
  .map((path) => {
    const parsed = recording.safeParse(JSON.parse(readFileSync(`${ROOT}${path}`, 'utf8')));
    if (!parsed.success) throw new Error(`${path} is no recording:\n${z.prettifyError(parsed.error)}`);
    return { ...parsed.data, file: basename(path, '.json') };
  });

/** What a client learns between the typed URL and its first request to the authorization server. */
export interface Discovered {
  readonly values: Readonly<Record<string, string>>;
  readonly server: Readonly<
    Record<'issuer' | 'authorization_endpoint' | 'token_endpoint' | 'registration_endpoint', string>
  >;
}

export async function discover(mcp: string): Promise<Discovered> {
  const challenge = (await postJson(mcp, {})).headers.get('www-authenticate') ?? '';
  const told = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
  const resource = (await send(told('resource_metadata'))).json;
  const [issuer] = resource.authorization_servers as readonly string[];
  const server = (await send(`${issuer}/.well-known/oauth-authorization-server`)).json;
  const scopes = (document: Answer['json']) => (document.scopes_supported as readonly string[]).join(' ');
  return {
    values: {
      mcp,
      resource: String(resource.resource),
      'challenge.scope': told('scope'),
      'resource.scopes': scopes(resource),
      'server.scopes': scopes(server),
    },
    server: server as unknown as Discovered['server'],
  };
}

/** Replaces placeholders with the learned values, at any depth. */
function fill<T>(template: T, values: Readonly<Record<string, string>>): T {
  const text = JSON.stringify(template).replace(/\{([a-z._]+)\}/g, (_, name: string) => {
    if (!Object.hasOwn(values, name)) throw new Error(`nothing is known of {${name}}`);
    return JSON.stringify(values[name]).slice(1, -1);
  });
  return JSON.parse(text) as T;
}

type Prove = (
  client: string,
) => Promise<{ readonly body?: Record<string, string>; readonly headers?: Record<string, string> }>;

export class RecordedClient {
  readonly flow: Flow;
  readonly id: string;
  readonly #discovered: Discovered;
  readonly #prove: Prove;
  readonly #verifier = randomBytes(32).toString('base64url');

  private constructor(flow: Flow, id: string, discovered: Discovered, prove: Prove) {
    this.flow = flow;
    this.id = id;
    this.#discovered = discovered;
    this.#prove = prove;
  }

  /** @param path of the client's metadata document, if it has one */
  static async start(recorded: Flow, discovered: Discovered, host: ClientHost, path: string): Promise<RecordedClient> {
    const jwksPath = `${path}.jwks`;
    const flow = fill(recorded, { ...discovered.values, jwks_uri: host.url(jwksPath) });
    const prove = await proofOf(flow, discovered, (jwks) => host.answers.set(jwksPath, { body: jwks }));
    if (flow.document) {
      return new RecordedClient(flow, host.publish(flow.document, {}, path), discovered, (id) => prove(id, undefined));
    }
    const { headers, body, answer } = flow.registration ?? { body: {} };
    const registered = await postJson(discovered.server.registration_endpoint, body, { ...headers });
    if (registered.status !== 201) throw new Error(`registration answered ${registered.status}: ${registered.text}`);
    for (const [name, value] of Object.entries(answer ?? {})) {
      const told = JSON.stringify(registered.json[name]);
      if (told !== JSON.stringify(value)) throw new Error(`registration answered ${name} ${told}`);
    }
    refuseUnreadable(registered, headers);
    const secret = registered.json.client_secret as string | undefined;
    return new RecordedClient(flow, String(registered.json.client_id), discovered, (id) => prove(id, secret));
  }

  /** @param change a deliberate error */
  authorizationUrl(change: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(this.#discovered.server.authorization_endpoint);
    const own = {
      response_type: 'code',
      client_id: this.id,
      code_challenge: createHash('sha256').update(this.#verifier).digest('base64url'),
      code_challenge_method: 'S256',
      state: randomUUID(),
    };
    for (const [name, value] of Object.entries({ ...own, ...this.flow.authorize, ...change })) {
      url.searchParams.set(name, value);
    }
    return url;
  }

  /** The authorization response of a person who approves. */
  async signIn(): Promise<URL> {
    const asked = this.authorizationUrl();
    const answer = await new Person().signIn(asked, this.redirectUri);
    const [state, iss] = ['state', 'iss'].map((name) => answer.searchParams.get(name));
    if (state !== asked.searchParams.get('state') || iss !== this.#discovered.server.issuer) {
      throw new Error(`RFC 9207 §2.4: the answer ${answer} is not to this request`);
    }
    return answer;
  }

  get redirectUri(): string {
    return this.flow.authorize.redirect_uri;
  }

  redeem(answer: URL): Promise<Answer> {
    const { headers, body } = this.flow.token;
    const code = answer.searchParams.get('code') ?? '';
    const own = {
      grant_type: 'authorization_code',
      code,
      code_verifier: this.#verifier,
      redirect_uri: this.redirectUri,
    };
    return this.#token({ ...own, ...body }, headers);
  }

  refresh(token: unknown): Promise<Answer> {
    const { headers, body } = this.flow.refresh ?? { body: {} };
    return this.#token({ grant_type: 'refresh_token', refresh_token: String(token), ...body }, headers);
  }

  async #token(body: Record<string, string>, headers: Record<string, string> | undefined): Promise<Answer> {
    const proof = await this.#prove(this.id);
    const answer = await send(this.#discovered.server.token_endpoint, {
      method: 'POST',
      headers: { ...headers, ...proof.headers },
      body: new URLSearchParams({ ...body, ...proof.body }),
    });
    refuseUnreadable(answer, headers);
    return answer;
  }
}

/** A web page can read an answer only where CORS allows it. */
function refuseUnreadable({ headers }: Answer, sent: Readonly<Record<string, string>> | undefined): void {
  const allowed = headers.get('access-control-allow-origin');
  if (sent?.Origin && allowed !== '*' && allowed !== sent.Origin)
    throw new Error(`${sent.Origin} cannot read the answer`);
}

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** RFC 6749 §2.3.1, RFC 7523 §2.2: how the client authenticates at /token. */
async function proofOf({ token }: Flow, { server }: Discovered, publish: (jwks: object) => void) {
  const key = token.authentication === 'private_key_jwt' ? await generateKeyPair('RS256') : undefined;
  if (key) publish({ keys: [{ ...(await exportJWK(key.publicKey)), kid: 'client-key', alg: 'RS256', use: 'sig' }] });
  return async (id: string, secret = ''): ReturnType<Prove> => {
    if (token.authentication === 'none') return { body: { client_id: id } };
    if (token.authentication === 'client_secret_post') return { body: { client_id: id, client_secret: secret } };
    if (!key) {
      const pair = [id, secret].map(encodeURIComponent).join(':');
      return { headers: { authorization: `Basic ${btoa(pair)}` } };
    }
    const assertion = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'RS256', kid: 'client-key' })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(server.token_endpoint)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(key.privateKey);
    return { body: { client_id: id, client_assertion_type: JWT_BEARER, client_assertion: assertion } };
  };
}
