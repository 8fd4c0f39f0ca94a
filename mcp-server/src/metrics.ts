/** Owns what an operator can count of mcp-server: which metrics there are, and where each is taken from its part of the service. */
import type { RequestListener } from 'node:http';
import {
  AUTHORIZATION_SERVER_PATH,
  MCP_PATH,
  OPENID_CONFIGURATION_PATH,
  PROTECTED_RESOURCE_PATH,
  SSE_PATH,
} from '@mcp-oauth/shared/contract';
import type { Declaration } from '@mcp-oauth/shared/metrics/declaration';
import { Counter, Gauge, Histogram } from '@mcp-oauth/shared/metrics/metric';
import { buildInfo, redisTakesWrites, redisUp } from '@mcp-oauth/shared/metrics/process';
import { createRouteOf, requestDuration, timed } from '@mcp-oauth/shared/metrics/requests';
import { LIMITS, type Limit } from './allowance/limit.ts';
import type { VerifyToken } from './authorization/access-token.ts';
import type { ProofReason } from './authorization/dpop/proof-error.ts';
import type { TokenReason } from './authorization/token-error.ts';
import { type Method, type Methods, RpcError } from './protocol/call.ts';
import { MESSAGES_PATH } from './protocol/endpoints.ts';
import type { Load } from './protocol/eras.ts';
import { INTERNAL_ERROR } from './protocol/methods/params.ts';
import type { ToolOutcome } from './protocol/methods/parts.ts';
import { MissingCapability } from './protocol/methods/questions/missing-capability.ts';

/** The paths of the issuer's metadata, and where clients of 2025-03-26 look for its endpoints, lead on to the issuer. */
const ROUTES = [
  MCP_PATH,
  SSE_PATH,
  MESSAGES_PATH,
  '/',
  ...['', MCP_PATH, SSE_PATH].map((path) => `${PROTECTED_RESOURCE_PATH}${path}`),
  AUTHORIZATION_SERVER_PATH,
  OPENID_CONFIGURATION_PATH,
  '/authorize',
  '/token',
  '/register',
  '/livez',
  '/readyz',
];

const REASONS: Readonly<Record<TokenReason | ProofReason, true>> = {
  malformed: true,
  algorithm: true,
  wrong_type: true,
  unknown_key: true,
  bad_signature: true,
  wrong_issuer: true,
  wrong_audience: true,
  expired: true,
  not_yet_valid: true,
  missing_claim: true,
  sender_constrained: true,
  not_bound: true,
  bound_to_another_key: true,
  keys_unavailable: true,
  proof_missing: true,
  proof_malformed: true,
  proof_type: true,
  proof_algorithm: true,
  proof_key: true,
  proof_method: true,
  proof_url: true,
  proof_of_another_token: true,
  proof_signature: true,
  proof_used_twice: true,
  nonce_wanted: true,
  replays_unknown: true,
};

const OUTCOMES: readonly ToolOutcome[] = ['ok', 'invalid_arguments', 'failed', 'fault', 'cancelled'];

const DECLARED = {
  duration: requestDuration(ROUTES),
  requests: {
    name: 'mcp_requests_total',
    type: 'counter',
    help: 'JSON-RPC requests that were answered. `refused` is the fault of the client, `failed` one of this server.',
    labels: {
      method: [
        'tools/list',
        'tools/call',
        'prompts/list',
        'prompts/get',
        'resources/list',
        'resources/templates/list',
        'resources/read',
        'completion/complete',
      ],
      result: ['ok', 'refused', 'failed'],
    },
  },
  toolCalls: {
    name: 'mcp_tool_calls_total',
    type: 'counter',
    help: 'Calls that reached their tool. `failed` is what its author tells the model, `fault` what nobody has foreseen, `cancelled` what ended so after its client had called it off.',
    labels: { tool: 'names in the catalog', result: OUTCOMES },
  },
  refusals: {
    name: 'mcp_refusals_total',
    type: 'counter',
    help: 'Requests for MCP that did not get in: no token or a bad one, a bad proof, a scope, a host, an origin, a body. `server_error` is a fault of this server.',
    labels: {
      reason: [
        'no_token',
        'other_scheme',
        'several_headers',
        'token_in_query',
        ...Object.keys(REASONS),
        'insufficient_scope',
        'wrong_host',
        'wrong_origin',
        'method_not_allowed',
        'unsupported_media_type',
        'body_too_large',
        'invalid_message',
        'server_error',
        'other',
      ],
    },
  },
  limits: {
    name: 'mcp_limits_reached_total',
    type: 'counter',
    help: 'Requests that were refused, or answered with an error, because of a limit. Each limit is called like the setting that decides it.',
    labels: { limit: LIMITS },
  },
  tokenChecks: {
    name: 'mcp_token_checks_total',
    type: 'counter',
    help: 'Tokens that were looked at: `known` from a moment ago, `verified` by their signature, or `refused` (mcp_refusals_total says why).',
    labels: { result: ['known', 'verified', 'refused'] },
  },
  fetchFailures: {
    name: 'mcp_issuer_fetch_failures_total',
    type: 'counter',
    help: 'Attempts to read the keys or the metadata of the issuer that failed; what was read before goes on being used.',
    labels: { document: ['keys', 'metadata'] },
  },
  keysRead: {
    name: 'mcp_issuer_keys_read_timestamp_seconds',
    type: 'gauge',
    help: 'When the keys of the issuer were last read; absent before the first time.',
  },
  sessions: {
    name: 'mcp_sessions',
    type: 'gauge',
    help: 'Sessions of all replicas together, so take `max`, not `sum`; absent while they can’t be counted.',
  },
  running: { name: 'mcp_running_requests', type: 'gauge', help: 'JSON-RPC requests that run on this replica.' },
  streams: {
    name: 'mcp_streams',
    type: 'gauge',
    help: 'Connections to this replica that read a stream of a session.',
  },
  subscriptions: {
    name: 'mcp_subscriptions',
    type: 'gauge',
    help: 'Connections to this replica on which clients of MCP 2026-07-28 listen for changes.',
  },
} as const satisfies Record<string, Declaration>;

/** All of mcp-server, for the documentation. */
export const declarations: readonly Declaration[] = [...Object.values(DECLARED), redisUp, redisTakesWrites, buildInfo];

/** What is read when somebody asks. */
export interface Readings {
  load(): Load;
  sessions(): Promise<number>;
  /** Milliseconds since the epoch. */
  keysReadAt(): number | undefined;
}

export type Meters = ReturnType<typeof createMeters>;

/** Each goes around a part, or to where that part tells what it does; nothing is kept but numbers. */
export function createMeters() {
  const duration = new Histogram(DECLARED.duration);
  const requests = new Counter(DECLARED.requests);
  const toolCalls = new Counter(DECLARED.toolCalls);
  const refusals = new Counter(DECLARED.refusals);
  const limits = new Counter(DECLARED.limits);
  const tokenChecks = new Counter(DECLARED.tokenChecks);
  const fetchFailures = new Counter(DECLARED.fetchFailures);
  return {
    timed: (handler: RequestListener): RequestListener => timed(handler, duration, createRouteOf(ROUTES)),
    methods: (methods: Methods): Methods =>
      new Map([...methods].map(([name, method]) => [name, counted(method, (result) => requests.add(name, result))])),
    verify: (verify: VerifyToken): VerifyToken => countedChecks(verify, tokenChecks),
    onToolCall: (tool: string, outcome: ToolOutcome): void => toolCalls.add(tool, outcome),
    onLimit: (limit: Limit): void => limits.add(limit),
    onRefused: (reason: string): void => refusals.add(reason),
    onFetchFailure: (document: 'keys' | 'metadata'): void => fetchFailures.add(document),
    all: ({ load, sessions, keysReadAt }: Readings) => [
      ...[duration, requests, toolCalls, refusals, limits, tokenChecks, fetchFailures],
      new Gauge(DECLARED.keysRead, () => inSeconds(keysReadAt())),
      new Gauge(DECLARED.sessions, sessions),
      new Gauge(DECLARED.running, () => load().running),
      new Gauge(DECLARED.streams, () => load().streams),
      new Gauge(DECLARED.subscriptions, () => load().subscriptions),
    ],
  };
}

const inSeconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : milliseconds / 1000;

/** Adds nothing to a method but the count: a result that is there stays there. */
function counted(method: Method, count: (result: 'ok' | 'refused' | 'failed') => void): Method {
  const ok = () => count('ok');
  const fail = (error: unknown) => count(isRefusal(error) ? 'refused' : 'failed');
  return (params, call) => {
    try {
      const result = method(params, call);
      if (result instanceof Promise) result.then(ok, fail);
      else ok();
      return result;
    } catch (error) {
      fail(error);
      throw error;
    }
  };
}

const isRefusal = (error: unknown): boolean =>
  error instanceof MissingCapability || (error instanceof RpcError && error.code !== INTERNAL_ERROR);

const countedChecks =
  (verify: VerifyToken, checks: Counter): VerifyToken =>
  (token) => {
    const found = verify(token);
    if (found instanceof Promise) {
      found.then(
        () => checks.add('verified'),
        () => checks.add('refused'),
      );
    } else checks.add('known');
    return found;
  };
