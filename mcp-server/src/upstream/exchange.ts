/**
 * Owns one exchange at the issuer of a caller's token (RFC 8693 §2): the request, how this server authenticates, and its limits. The
 * caller's token goes to its own issuer, and nothing of it is in an error.
 */
import { hash } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import { INTERACTION, REJECTED_TOKEN } from '@mcp-oauth/shared/contract';
import { type RemoteDocument, readText, reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { type Fetch, plainly } from '@mcp-oauth/shared/network/outgoing-fetch';
import { authenticated, type ClientKey } from '../authorization/introspection/credentials.ts';
import type { IssuerMetadata } from '../authorization/issuer/issuer-metadata.ts';
import { ACCESS_TOKEN_URN, type Failed, failureIn, tokenIn } from './answer.ts';
import { TOKEN_EXCHANGE } from './own-key.ts';
import type { Prove } from './proofs.ts';
import type { ConfiguredUpstream } from './settings.ts';
import { type Caller, ExchangeRefused, ExchangeUnavailable, type UpstreamToken } from './upstream-token.ts';

export interface ExchangeIssuer {
  readonly metadata: Pick<RemoteDocument<IssuerMetadata>, 'get'>;
  /** Converts a public URL of the issuer to the one by which this server reaches it. */
  readonly inside: (url: string) => string;
}

export interface ExchangeOptions {
  /** By the `iss` of their tokens. */
  readonly issuers: ReadonlyMap<string, ExchangeIssuer>;
  readonly clientId: string;
  readonly clientKey: ClientKey;
  readonly prove: Prove;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly newId: () => string;
}

export interface Exchanged {
  readonly upstream: ConfiguredUpstream;
  readonly caller: Caller;
  /** A token that the API has refused: the issuer renews it, or has the person connect the account again. */
  readonly rejected?: string | undefined;
  readonly wish: Wish;
}

/** What is to happen if only the person can help. */
export interface Wish {
  /** `page`: the client shows one to the person. `none`: it can show none, or has done so. `declined`: the person declines the page. */
  readonly kind: 'page' | 'none' | 'declined';
  /** The page that the call waits for; absent: there is none yet. */
  readonly page?: string | undefined;
}

/** @throws InteractionRequired, ExchangeRefused or ExchangeUnavailable */
export type ExchangeToken = (asked: Exchanged) => Promise<UpstreamToken>;

/** Milliseconds. The issuer may have to ask the upstream for a new token first. */
const TIMEOUT = 15_000;
const MAX_BYTES = 64 * 1_024;

export const createExchange =
  (options: ExchangeOptions): ExchangeToken =>
  async (asked) => {
    const endpoint = await endpointOf(asked.caller, options);
    const first = await answerOf(await send(asked, endpoint, options));
    // RFC 9449 §8: the nonce comes with the refusal.
    const { nonce } = first;
    const isUnproven = first.status === 400 && nonce !== undefined && codeOf(first.body) === 'use_dpop_nonce';
    const answer = isUnproven ? await answerOf(await send(asked, { ...endpoint, nonce }, options)) : first;
    if (answer.status !== 200) throw failureIn(answer, endpoint.issuer.startsWith('https:'));
    const mustBeBound = 'resource' in asked.upstream.target && asked.caller.principal.keyThumbprint !== undefined;
    return tokenIn(answer.body, { mustBeBound, isProven: needsProof(asked, endpoint), now: options.clock.now() });
  };

interface Endpoint {
  readonly issuer: string;
  /** As the issuer names it, for the proof. */
  readonly url: string;
  readonly place: string;
  readonly bindsTokens: boolean;
  readonly nonce?: string | undefined;
}

async function endpointOf({ principal }: Caller, { issuers }: ExchangeOptions): Promise<Endpoint> {
  const found = issuers.get(principal.issuer);
  if (!found) throw new ExchangeRefused('the issuer of the access token is not known any more');
  const {
    issuer,
    token_endpoint: url,
    ...others
  } = await found.metadata.get().catch((error: unknown) => {
    throw new ExchangeUnavailable(reasonOf(error), { cause: error });
  });
  if (!url) throw new ExchangeRefused('its metadata has no token_endpoint');
  if (issuer.startsWith('https:') && !url.startsWith('https:'))
    throw new ExchangeRefused('its token_endpoint is not https');
  const bindsTokens = Array.isArray(others.dpop_signing_alg_values_supported);
  return { issuer, url, place: found.inside(url), bindsTokens };
}

/** For another MCP server: its token is bound wherever the issuer can do that, and always if the caller's is. */
const needsProof = ({ upstream, caller }: Exchanged, { bindsTokens }: Endpoint): boolean =>
  'resource' in upstream.target && (bindsTokens || caller.principal.keyThumbprint !== undefined);

async function send(asked: Exchanged, endpoint: Endpoint, options: ExchangeOptions): Promise<Response> {
  const { issuer, url, place, nonce } = endpoint;
  const { clientId, clientKey, prove, fetch, clock, newId } = options;
  const credentials = { clientId, method: 'private_key_jwt', clientKey } as const;
  const { headers, form } = await authenticated(credentials, { issuer, clock, newId });
  const proof = needsProof(asked, endpoint) && { dpop: await prove({ method: 'POST', url, nonce }) };
  try {
    return await plainly(fetch)(place, {
      method: 'POST',
      headers: {
        ...headers,
        ...proof,
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ ...form, ...parametersOf(asked) }).toString(),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch (cause) {
    throw new ExchangeUnavailable(reasonOf(cause), { cause });
  }
}

/** RFC 8693 §2.1. The members after them are those of our auth-server, which other issuers ignore (RFC 6749 §3.2). */
function parametersOf({ upstream, caller, rejected, wish }: Exchanged): Record<string, string> {
  const { target, scopes } = upstream;
  return {
    grant_type: TOKEN_EXCHANGE,
    subject_token: caller.token,
    subject_token_type: ACCESS_TOKEN_URN,
    requested_token_type: ACCESS_TOKEN_URN,
    ...target,
    ...(scopes && { scope: scopes.join(' ') }),
    // For another MCP server every exchange gives a new token.
    ...('audience' in target && rejected !== undefined && { [REJECTED_TOKEN]: digestOf(rejected) }),
    ...(wish.kind !== 'page' && { [INTERACTION.wish]: wish.kind }),
    ...(wish.page !== undefined && { [INTERACTION.uri]: wish.page }),
  };
}

/** By it the issuer recognizes the token that was refused. */
const digestOf = (token: string): string => hash('sha256', token, 'base64url');

interface Answer extends Failed {
  readonly nonce: string | undefined;
}

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const [nonce, retryAfter] = ['dpop-nonce', 'retry-after'].map((name) => headers.get(name) ?? undefined);
  try {
    const body = parsed(await readText(response, 'the token endpoint', MAX_BYTES));
    return { status, body, nonce, retryAfter };
  } catch (cause) {
    throw new ExchangeUnavailable('its answer could not be read', { cause });
  }
}

/** An error of JSON.parse quotes its text, in which a token may be. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const codeOf = (body: unknown): unknown => Object(body).error;
