/**
 * Owns the endpoint of the revision without sessions: each POST is one request that is checked, run and answered
 * independently of all others (MCP 2026-07-28 basic, "Statelessness", and Streamable HTTP).
 */

import { TransientSet } from '@mcp-oauth/shared/collections/transient';
import { beginAnswer } from '@mcp-oauth/shared/http/answer';
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import type { IsRevoked } from '../../authorization/status/reference.ts';
import type { SealingKeys } from '../../keys/sealing-keys.ts';
import type { Methods } from '../call.ts';
import { CAPABILITIES } from '../capabilities.ts';
import type { Drained, Endpoint, McpRequest, Revoked } from '../endpoints.ts';
import { REVISIONS } from '../revisions.ts';
import { acceptedBy } from '../wire/accepted.ts';
import { CHECKS } from '../wire/keep-alive.ts';
import { idOf } from '../wire/message-flaw.ts';
import type { ParameterHeader } from '../wire/parameter-headers.ts';
import { failureOf, writeJson } from './answers.ts';
import { checkParameterHeaders } from './mirrored-headers.ts';
import { type Answers, MAY_ASK } from './questions.ts';
import { isOfThisEra, readRequest, type StatelessRequest } from './request.ts';
import { notAcceptable, tokenRevoked, tooMany, tryAgain, unknownMethod } from './request-errors.ts';
import { createRequestState } from './request-state.ts';
import { createResults } from './results.ts';
import { StatelessCall } from './stateless-call.ts';
import { createSubscriptions, type SubscriptionsDependencies } from './subscriptions.ts';

export interface StatelessDependencies extends SubscriptionsDependencies {
  readonly methods: Methods;
  /** Instructions for the client's model. */
  readonly instructions?: string | undefined;
  /** Whether lists are the same for everybody. They are not if tools are hidden from callers without their scope. */
  readonly listScope: 'public' | 'private';
  /** The arguments of a tool that clients repeat in headers; none for an unknown tool. */
  readonly parameterHeaders: (tool: string) => readonly ParameterHeader[];
  /** The keys that seal the state which clients carry from one round of a request to the next. */
  readonly keys: SealingKeys;
}

export interface Stateless {
  /** Whether a request belongs to this era; all other requests have sessions. */
  handles(request: McpRequest): boolean;
  readonly endpoint: Endpoint;
  /** Closes subscription streams, now and whenever a client opens one later. Running requests continue. */
  drain(): Drained;
  /** Ends what goes on with a token that was revoked. */
  revoke(isRevoked: IsRevoked): Omit<Revoked, 'sessions'>;
  /** Number of running requests. */
  running(): number;
  /** Number of open subscription streams. */
  subscriptions(): number;
  close(): Promise<void>;
}

export function createStateless(dependencies: StatelessDependencies): Stateless {
  const { instructions, limits, keys, clock } = dependencies;
  const subscriptions = createSubscriptions(dependencies);
  const discovered = {
    supportedVersions: REVISIONS,
    capabilities: CAPABILITIES,
    ...(instructions && { instructions }),
  };
  const methods = new Map(dependencies.methods).set('server/discover', () => discovered);
  const running = new TransientSet<StatelessCall>();
  const callDependencies = {
    writeResult: createResults(dependencies),
    state: createRequestState(keys, clock),
    running,
    allowance: dependencies.allowance,
  };
  // One timer for all streams: thousands of timers would cost more than the streams.
  const pace = limits.keepAlive * 1000;
  const checkKeepAlives = () => {
    for (const call of running) call.checkKeepAlive();
  };
  const timers = [setInterval(subscriptions.tick, pace).unref(), setInterval(checkKeepAlives, pace / CHECKS).unref()];

  const serve = async (request: McpRequest): Promise<void> => {
    const { req, res, principal, message } = request;
    const asked = readRequest(message, req.headers);
    if (!asked) {
      beginAnswer(res, 202, ['Content-Length', '0']).end();
      return;
    }
    const accepted = acceptedBy(req);
    if (!accepted.json && !accepted.stream) throw notAcceptable();
    if (asked.method === 'subscriptions/listen') return subscriptions.open(asked, accepted, request);
    const method = methods.get(asked.method);
    if (!method) throw unknownMethod();
    checkArguments(dependencies, request, asked);
    const limit = dependencies.allowance.runningLimit(principal);
    if (limit) throw tooMany(dependencies.allowance.runningReached(limit));
    const answers = isLaterRound(asked) ? await callDependencies.state.read(asked, principal) : NO_ANSWERS;
    return new StatelessCall({ request, asked, accepted, answers, dependencies: callDependencies }).run(method);
  };
  return {
    handles: ({ req, message }) => req.method === 'POST' && isOfThisEra(message, req.headers),
    endpoint: (request) => serve(request).catch((error: unknown) => refuse(request, error)),
    drain: () => ({ running: running.size, leaving: subscriptions.drain() }),
    revoke: (isRevoked) => {
      const revoked = [...running].filter(({ principal }) => isRevoked(principal));
      for (const call of revoked) call.fail(tokenRevoked());
      return { calls: revoked.length, streams: subscriptions.revoke(isRevoked) };
    },
    running: () => running.size,
    subscriptions: subscriptions.count,
    close: async () => {
      timers.forEach(clearInterval);
      for (const call of running) call.fail(tryAgain('The server is shutting down'));
    },
  };
}

const NO_ANSWERS: Answers = new Map();

const isLaterRound = ({ method, params }: StatelessRequest): boolean =>
  MAY_ASK.has(method) && (params.inputResponses !== undefined || params.requestState !== undefined);

function checkArguments(
  { parameterHeaders }: StatelessDependencies,
  { req }: McpRequest,
  { method, params }: StatelessRequest,
) {
  if (method !== 'tools/call' || typeof params.name !== 'string') return;
  checkParameterHeaders(req.headers, parameterHeaders(params.name), params.arguments);
}

/** Answers a request that does not run. */
function refuse(request: McpRequest, cause: unknown): void {
  const { res, message, log } = request;
  const id = idOf(message);
  const { status, error } = failureOf(cause, 'none', request);
  log.info({ code: error.code, reason: error.message }, 'request refused');
  writeJson(res, status, jsonText({ jsonrpc: '2.0', ...(id !== undefined && { id }), error }));
}
