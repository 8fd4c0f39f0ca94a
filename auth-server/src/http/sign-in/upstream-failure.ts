/** Owns what becomes of a failure at an upstream: one line in the log, a count, and what the client is told. */
import type { Context } from 'koa';
import { stateOf } from '../../context-state.ts';
import type { LoginChecks, UpstreamReason } from '../../federation/connector.ts';
import { answerTo, type ClientAnswer, legible, logged, toUpstreamError } from '../../federation/failure.ts';
import type { OpenConnector } from '../../federation/registry.ts';

/** Hears what came of asking an upstream: `ok`, or why not. */
export type SignInObserver = (connector: string, outcome: 'ok' | UpstreamReason) => void;

/** A sign-in that is under way at an upstream. */
export interface Attempt {
  readonly upstream: OpenConnector;
  readonly checks: LoginChecks;
  /** What came back, if anything did. */
  readonly code?: string | undefined;
}

export interface Failed {
  readonly reason: UpstreamReason;
  readonly answer: ClientAnswer;
}

/** @returns what the client is told */
export function upstreamFailed(ctx: Context, { upstream, checks, code = '' }: Attempt, thrown: unknown): Failed {
  const { state, nonce, codeVerifier } = checks;
  const secrets = [state, nonce, codeVerifier, code, ...(upstream.secrets ?? [])];
  const failure = toUpstreamError(thrown);
  const line = { connector: upstream.id, ...logged(failure, secrets) };
  const { log, requestId } = stateOf(ctx);
  if (thrown === failure) log.warn(line, 'upstream sign-in failed');
  // Not a word of the upstream but a fault of the connector: its author needs the place.
  else log.error({ ...line, stack: legible(String(stackOf(thrown)), secrets) }, 'upstream sign-in failed');
  return { reason: failure.reason, answer: answerTo(failure, upstream.title, requestId) };
}

const stackOf = (thrown: unknown): unknown => (thrown instanceof Error ? thrown.stack : thrown);
