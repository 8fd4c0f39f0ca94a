/** Owns the metrics of mcp-server: which metrics there are, and which part of the service counts each. */
import type { RequestListener } from 'node:http';
import { auditEntries } from '@mcp-oauth/shared/audit/metrics';
import {
  AUTHORIZATION_SERVER_PATH,
  MCP_PATH,
  OPENID_CONFIGURATION_PATH,
  PROTECTED_RESOURCE_PATH,
  SSE_PATH,
} from '@mcp-oauth/shared/contract';
import { INTERNAL_ERROR } from '@mcp-oauth/shared/json-rpc-codes';
import type { Declaration } from '@mcp-oauth/shared/metrics/declaration';
import { Counter, Gauge, Histogram, LabelledGauge } from '@mcp-oauth/shared/metrics/metric';
import { buildInfo, redisTakesWrites, redisUp } from '@mcp-oauth/shared/metrics/process';
import { createRouteOf, requestDuration, timed } from '@mcp-oauth/shared/metrics/requests';
import { LIMITS, type Limit } from './allowance/limit.ts';
import type { VerifyToken } from './authorization/access-token.ts';
import type { ProofReason } from './authorization/dpop/proof-error.ts';
import { OUTCOMES as ANSWERS } from './authorization/introspection/introspection.ts';
import { REFUSALS } from './authorization/token/refusals.ts';
import { OWN_KEYS_PATH } from './http/metadata-path.ts';
import { type Method, type Methods, RpcError } from './protocol/call.ts';
import { MESSAGES_PATH, type Revoked } from './protocol/endpoints.ts';
import type { Load } from './protocol/eras.ts';
import { isForEra, type ToolOutcome } from './protocol/methods/dependencies.ts';
import { EXCHANGE_OUTCOMES, type ExchangeOutcome } from './upstream/upstream-token.ts';

/** The paths of the issuer's metadata, and where clients of 2025-03-26 look for its endpoints, lead on to the issuer. */
const ROUTES = [
  MCP_PATH,
  SSE_PATH,
  MESSAGES_PATH,
  '/',
  ...['', MCP_PATH, SSE_PATH].map((path) => `${PROTECTED_RESOURCE_PATH}${path}`),
  AUTHORIZATION_SERVER_PATH,
  OPENID_CONFIGURATION_PATH,
  OWN_KEYS_PATH,
  '/authorize',
  '/token',
  '/register',
  '/livez',
  '/readyz',
];

const PROOF_REASONS: Readonly<Record<ProofReason, true>> = {
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

/** Where the values of the label come from. */
const ISSUER_IDS = 'ids in ISSUERS, or `default`';

const OUTCOMES: readonly ToolOutcome[] = ['ok', 'invalid_arguments', 'failed', 'fault', 'cancelled'];

const DECLARED = {
  duration: requestDuration(ROUTES),
  requests: {
    name: 'mcp_requests_total',
    type: 'counter',
    help: 'Answered JSON-RPC requests, by method and result. `refused`: an error of the client. `failed`: an error of this server.',
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
    help: 'Calls that reached their tool. `failed`: an error that the tool reports to the model. `fault`: an unexpected error. `cancelled`: an error after the client had cancelled the call.',
    labels: { tool: 'names in the catalog', result: OUTCOMES },
  },
  refusals: {
    name: 'mcp_refusals_total',
    type: 'counter',
    help: 'MCP requests that were refused before they reached a method: a missing or invalid token, an invalid proof, a missing scope, a wrong host, origin or body. `server_error`: an error of this server.',
    labels: {
      reason: [
        'no_token',
        'other_scheme',
        'several_headers',
        'token_in_query',
        ...Object.keys(REFUSALS),
        ...Object.keys(PROOF_REASONS),
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
    help: 'Requests that were refused, or answered with an error, because of a limit. Each limit has the name of its setting.',
    labels: { limit: LIMITS },
  },
  tokenChecks: {
    name: 'mcp_token_checks_total',
    type: 'counter',
    help: 'Token checks, by result. `known`: verified a moment ago. `verified`: by its signature, or by the answer of its issuer. `refused`: see mcp_refusals_total for the reason.',
    labels: { result: ['known', 'verified', 'refused'] },
  },
  introspections: {
    name: 'mcp_introspections_total',
    type: 'counter',
    help: 'Opaque tokens that were not known to be active, by what their issuer said. `refused`: active, but not for this server, or for another reason. `unanswered`: the issuer gave no usable answer. `limited`: not asked, as the caller had reached INTROSPECTION_LIMIT.',
    labels: { outcome: ANSWERS },
  },
  exchanges: {
    name: 'mcp_upstream_exchanges_total',
    type: 'counter',
    help: 'Exchanges of the token of a caller for one of an upstream, by what the issuer answered. `interaction`: the person has to connect the account first. `refused`: the issuer does not allow it. `unavailable`: it gave no usable answer. A token that is in use is not exchanged again.',
    labels: { upstream: 'ids in UPSTREAMS', outcome: EXCHANGE_OUTCOMES },
  },
  fetchFailures: {
    name: 'mcp_issuer_fetch_failures_total',
    type: 'counter',
    help: 'Failed attempts to read the keys, the metadata or a status list of an issuer. The last copy stays in use: that of a status list for STATUS_GRACE.',
    labels: { document: ['keys', 'metadata', 'status list'], issuer: ISSUER_IDS },
  },
  keysRead: {
    name: 'mcp_issuer_keys_read_timestamp_seconds',
    type: 'gauge',
    help: 'Time at which the keys of an issuer were last read. Absent before the first time.',
    labels: { issuer: ISSUER_IDS },
  },
  statusAge: {
    name: 'mcp_status_list_age_seconds',
    type: 'gauge',
    help: 'Seconds since the oldest status list in use was read, for each issuer. It stays below STATUS_MAX_AGE while they can be read. Absent while no token refers to one.',
    labels: { issuer: ISSUER_IDS },
  },
  ended: {
    name: 'mcp_revoked_total',
    type: 'counter',
    help: 'What was ended on this replica because its token was revoked, without waiting for a request.',
    labels: { what: ['session', 'stream', 'call'] },
  },
  sessions: {
    name: 'mcp_sessions',
    type: 'gauge',
    help: 'Sessions of all replicas together: aggregate with `max`, not `sum`. Absent while they cannot be counted.',
  },
  running: { name: 'mcp_running_requests', type: 'gauge', help: 'JSON-RPC requests running on this replica.' },
  streams: {
    name: 'mcp_streams',
    type: 'gauge',
    help: 'Connections to this replica that read the stream of a session.',
  },
  subscriptions: {
    name: 'mcp_subscriptions',
    type: 'gauge',
    help: 'Connections to this replica on which clients of MCP 2026-07-28 listen for changes.',
  },
} as const satisfies Record<string, Declaration>;

/** All of mcp-server, for the documentation. */
export const declarations: readonly Declaration[] = [
  ...Object.values(DECLARED),
  auditEntries,
  redisUp,
  redisTakesWrites,
  buildInfo,
];

/** Values that are read at each scrape. */
export interface Readings {
  load(): Load;
  sessions(): Promise<number>;
  /** The issuers, each with the milliseconds since the epoch at which its keys were read. */
  readonly issuers: readonly { readonly id: string; keysReadAt(): number | undefined }[];
  /** The status lists of each issuer, with the seconds since the oldest was read. */
  statusLists(): readonly { readonly id: string; readonly age: number | undefined }[];
}

export type Meters = ReturnType<typeof createMeters>;

/** Each member wraps a part of the service, or is called by it. The meters keep numbers only. */
export function createMeters() {
  const duration = new Histogram(DECLARED.duration);
  const requests = new Counter(DECLARED.requests);
  const toolCalls = new Counter(DECLARED.toolCalls);
  const refusals = new Counter(DECLARED.refusals);
  const limits = new Counter(DECLARED.limits);
  const tokenChecks = new Counter(DECLARED.tokenChecks);
  const introspections = new Counter(DECLARED.introspections);
  const exchanges = new Counter(DECLARED.exchanges);
  const fetchFailures = new Counter(DECLARED.fetchFailures);
  const revoked = new Counter(DECLARED.ended);
  return {
    timed: (handler: RequestListener): RequestListener => timed(handler, duration, createRouteOf(ROUTES)),
    methods: (methods: Methods): Methods =>
      new Map([...methods].map(([name, method]) => [name, counted(method, (result) => requests.add(name, result))])),
    verify: (verify: VerifyToken): VerifyToken => countedChecks(verify, tokenChecks),
    onToolCall: (tool: string, outcome: ToolOutcome): void => toolCalls.add(tool, outcome),
    onLimit: (limit: Limit): void => limits.add(limit),
    onRefused: (reason: string): void => refusals.add(reason),
    onIntrospection: (outcome: (typeof ANSWERS)[number]): void => introspections.add(outcome),
    onExchange: (upstream: string, outcome: ExchangeOutcome): void => exchanges.add(upstream, outcome),
    onRevoked: ({ calls, streams, sessions: owners }: Revoked): void => {
      revoked.addMany(calls, 'call');
      revoked.addMany(streams, 'stream');
      revoked.addMany(owners.length, 'session');
    },
    onFetchFailure: (document: 'keys' | 'metadata' | 'status list', issuer: string): void =>
      fetchFailures.add(document, issuer),
    all: ({ load, sessions, issuers, statusLists }: Readings) => [
      ...[
        duration,
        requests,
        toolCalls,
        refusals,
        limits,
        tokenChecks,
        introspections,
        exchanges,
        fetchFailures,
        revoked,
      ],
      new LabelledGauge(DECLARED.statusAge, () => statusLists().map(({ id, age }) => [id, age])),
      new LabelledGauge(DECLARED.keysRead, () => issuers.map(({ id, keysReadAt }) => [id, inSeconds(keysReadAt())])),
      new Gauge(DECLARED.sessions, sessions),
      new Gauge(DECLARED.running, () => load().running),
      new Gauge(DECLARED.streams, () => load().streams),
      new Gauge(DECLARED.subscriptions, () => load().subscriptions),
    ],
  };
}

const inSeconds = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : milliseconds / 1000;

/** Counts the results of a method and changes nothing else: a synchronous result stays synchronous. */
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
  isForEra(error) || (error instanceof RpcError && error.code !== INTERNAL_ERROR);

const countedChecks =
  (verify: VerifyToken, checks: Counter): VerifyToken =>
  (token, caller) => {
    const found = verify(token, caller);
    if (found instanceof Promise) {
      found.then(
        () => checks.add('verified'),
        () => checks.add('refused'),
      );
    } else checks.add('known');
    return found;
  };
