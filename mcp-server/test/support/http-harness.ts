/**
 * Owns mcp-server's HTTP side in tests: the real middleware on a real port, in front of endpoints that only record
 * their calls.
 */

import type { RequestListener } from 'node:http';
import { resourceIdentifiers } from '@mcp-oauth/shared/contract';
import { answer } from '@mcp-oauth/shared/http/answer';
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve } from '@mcp-oauth/shared/testing/listen';
import type { AllowanceLimits } from '../../src/allowance/allowance.ts';
import { createTokenVerifier } from '../../src/authorization/access-token.ts';
import { createNonces } from '../../src/authorization/dpop/nonces.ts';
import { createProofVerifier } from '../../src/authorization/dpop/proof.ts';
import type { ReplayMemory } from '../../src/authorization/dpop/replay-memory.ts';
import { createIssuerMetadata } from '../../src/authorization/issuer/issuer-metadata.ts';
import { createKeySource } from '../../src/authorization/issuer/key-source.ts';
import { createScopePolicy } from '../../src/authorization/scope.ts';
import { createTokenCache } from '../../src/authorization/token-cache.ts';
import { createApp } from '../../src/http/app.ts';
import { underBasePath } from '../../src/http/base-path.ts';
import { createLane } from '../../src/http/mcp/lane.ts';
import { type SealingKeys, sharedKeys } from '../../src/keys/sealing-keys.ts';
import type { Endpoint, Endpoints } from '../../src/protocol/endpoints.ts';
import { memoryKeyRecord } from '../../src/storage/memory/key-record.ts';
import { memoryReplayMemory } from '../../src/storage/memory/replay-memory.ts';
import { type SigningKey, signingKey, signToken, startIssuer, type TestIssuer, tokenRules } from './issuer.ts';
import { allowance } from './limits.ts';
import { scopedTools } from './scoped-tools.ts';

interface Ran {
  readonly endpoint: string;
  readonly method: string;
  readonly subject: string;
  readonly keyThumbprint?: string;
  readonly message: unknown;
}

export interface Harness extends AsyncDisposable {
  readonly url: string;
  readonly issuer: TestIssuer;
  readonly key: SigningKey;
  readonly clock: FakeClock;
  /** Number of requests so far. */
  readonly received: number;
  /** The requests that reached an endpoint. */
  readonly ran: Ran[];
  /** Lines of the log, as text. */
  readonly log: string[];
  ready: boolean;
  claims(more?: Record<string, unknown>): Record<string, unknown>;
  token(more?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

export interface HarnessOptions {
  readonly publicUrl?: string;
  /** The issuer's public URL is also the one for requests. */
  readonly atIssuer?: boolean;
  /** The issuer has a separate internal URL. */
  readonly issuerInside?: boolean;
  readonly allowedHosts?: readonly string[];
  readonly allowedOrigins?: readonly string[];
  readonly types?: readonly string[];
  readonly dpopRequired?: boolean;
  readonly dpopNonceRequired?: boolean;
  /** The same replay memory for all replicas of a test. */
  readonly replays?: ReplayMemory;
  readonly keys?: SealingKeys;
  readonly limits?: Partial<AllowanceLimits>;
  /** Replaces the recording endpoint at /mcp. */
  readonly streamable?: Endpoint;
}

const TOOLS = [
  { name: 'echo', title: 'Echo', description: 'Says it again', scopes: [], readOnly: true },
  { name: 'status', title: 'Status', description: 'How the server is doing', scopes: ['mcp:admin'], readOnly: true },
];

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const state = { ready: true, received: 0, ran: [] as Ran[], log: [] as string[] };
  let handler: RequestListener = () => {};
  const server = await serve((request, response) => {
    state.received += 1;
    handler(request, response);
  });
  const [issuer, key, clock] = [await startIssuer(), await signingKey('key-1'), new FakeClock()];
  issuer.keys.push(key.publicJwk);
  const publicUrl = options.atIssuer ? issuer.url : (options.publicUrl ?? server.url);
  const destination = { write: (line: string) => void state.log.push(line) };
  handler = appOf({ ...options, publicUrl }, issuer.url, clock, {
    ...state,
    log: createLogger('test', 'debug', destination),
    isReady: () => harness.ready,
  });
  const claims = (more = {}) => ({ ...goodClaims(issuer.url, publicUrl, clock), ...more });
  const harness: Harness = Object.assign(state, {
    url: server.url,
    issuer,
    key,
    clock,
    claims,
    token: (more = {}, header = {}) => signToken({ key, claims: claims(more), header }),
    fetch: (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, { redirect: 'manual', ...init }),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await issuer.close();
    },
  });
  return harness;
}

const goodClaims = (issuer: string, publicUrl: string, clock: FakeClock) => ({
  iss: issuer,
  aud: `${publicUrl}/mcp`,
  sub: 'person-1',
  client_id: 'client-1',
  scope: 'mcp:tools',
  iat: clock.now() / 1000,
  exp: clock.now() / 1000 + 600,
});

type AppOptions = HarnessOptions & { readonly publicUrl: string };
type TestDependencies = { ran: Ran[]; log: ReturnType<typeof createLogger>; isReady: () => boolean };

function appOf(options: AppOptions, issuer: string, clock: FakeClock, { ran, log, isReady }: TestDependencies) {
  const onFailure = () => {};
  const issuerMetadata = createIssuerMetadata({ issuer, fetch, clock, onFailure });
  const keys = createKeySource({ jwksUrl: undefined, metadata: issuerMetadata, fetch, clock, maxAge: 300, onFailure });
  const { publicUrl, allowedHosts = [], allowedOrigins = [], types = ['at+jwt'] } = options;
  const rules = { ...tokenRules(issuer), audiences: resourceIdentifiers(publicUrl), types };
  const { dpopRequired = false, dpopNonceRequired = false, replays = memoryReplayMemory(clock) } = options;
  const settings = { publicUrl, serverName: 'Test server', allowedHosts, allowedOrigins, dpopRequired };
  const internalUrl = options.issuerInside ? issuer : undefined;
  const described = { id: 'default', url: issuer, announced: true, internalUrl, metadata: issuerMetadata };
  const issuers = [{ ...described, keysReadAt: keys.loadedAt }];
  const scopes = createScopePolicy({ base: 'mcp:tools', hierarchy: new Map(), scoped: () => scopedTools(TOOLS) });
  const app = createApp({ settings, log, tools: () => TOOLS, scopes, issuers, statusLists: () => [], isReady });
  const verify = createTokenCache({
    verify: createTokenVerifier({ issuers: [{ rules: [rules], keySource: keys }], clock }),
    keys,
    clock,
  });
  const endpoints = { ...recordingEndpoints(ran), ...(options.streamable && { streamable: options.streamable }) };
  const verifyProof = createProofVerifier({
    nonces: createNonces(options.keys ?? sharedKeys(memoryKeyRecord(), clock), clock),
    nonceRequired: dpopNonceRequired,
    replays,
    clock,
    clockTolerance: 5,
  });
  const lane = {
    settings,
    log,
    verify,
    verifyProof,
    isRevoked: () => false,
    scopes,
    endpoints,
    allowance: allowance(options.limits),
    addressOf: () => '127.0.0.1',
  };
  return underBasePath(publicUrl, createLane(lane, app.callback()));
}

function recordingEndpoints(ran: Ran[]): Endpoints {
  const record =
    (endpoint: string): Endpoint =>
    ({ req, res, principal, message }) => {
      const { subject, keyThumbprint } = principal;
      ran.push({ endpoint, method: req.method ?? '', subject, ...(keyThumbprint && { keyThumbprint }), message });
      answer(res, 200, [], JSON.stringify({ endpoint }));
    };
  return {
    streamable: record('streamable'),
    sseStream: record('sseStream'),
    sseMessage: record('sseMessage'),
    drain: () => ({ running: 0, leaving: 0 }),
    running: () => 0,
    finished: async () => {},
    close: async () => {},
  };
}

/** The parameters of one scheme's challenge, parsed as a client does (RFC 9110 §11.2, §11.6.1). */
export function readChallenge(
  response: Response,
  scheme = 'Bearer',
): { scope?: string; error?: string; algs?: string } {
  const header = response.headers.get('www-authenticate') ?? '';
  const challenges = header.split(/(?:^|, )(?=[A-Za-z]+ [a-z_]+=)/);
  const own = challenges.find((challenge) => challenge.startsWith(`${scheme} `)) ?? '';
  const parameters = own.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g);
  return Object.fromEntries([...parameters].map(([, name, value]) => [name, value?.replace(/\\(.)/g, '$1')]));
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

export const post = (token: string, message: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { ...bearer(token), 'content-type': 'application/json', ...headers },
  body: typeof message === 'string' ? message : JSON.stringify(message),
});

export const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };
