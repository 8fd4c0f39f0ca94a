/** Owns how a failure at an upstream is reported: one line in the log, a count, and an error for the client. */
import type { Context } from 'koa';
import { stateOf } from '../../context-state.ts';
import type { LoginChecks, UpstreamReason } from '../../federation/connector.ts';
import { answerTo, type ClientAnswer, logged, sanitized, toUpstreamError } from '../../federation/failure.ts';
import type { OpenConnector, OpenTools } from '../../federation/registry.ts';

/** Called with the outcome of a sign-in at an upstream: `ok`, or the reason of the failure. */
export type SignInObserver = (connector: string, outcome: 'ok' | UpstreamReason) => void;

/** A sign-in in progress at an upstream, or a connection for tools. */
export interface Attempt {
  readonly upstream: OpenConnector | OpenTools;
  readonly checks: LoginChecks;
  /** The code that came back, if there is one. */
  readonly code?: string | undefined;
}

export interface Failed {
  readonly reason: UpstreamReason;
  readonly answer: ClientAnswer;
}

/** @returns the reason, and the error for the client */
export function upstreamFailed(ctx: Context, { upstream, checks, code = '' }: Attempt, thrown: unknown): Failed {
  const isSignIn = 'connector' in upstream;
  const what = isSignIn ? 'upstream sign-in failed' : 'connection of an account failed';
  const { state, nonce, codeVerifier } = checks;
  const secrets = [state, nonce, codeVerifier, code, ...(upstream.secrets ?? [])];
  const failure = toUpstreamError(thrown);
  const line = { connector: upstream.id, ...logged(failure, secrets) };
  const { log, requestId, audit } = stateOf(ctx);
  const event = isSignIn ? 'sign-in.failed' : 'connection.failed';
  audit({ event, outcome: 'failed', reason: failure.reason, details: { connector: upstream.id } });
  if (thrown === failure) log.warn(line, what);
  // A fault of the connector and not of the upstream: its author needs the stack.
  else log.error({ ...line, stack: sanitized(String(stackOf(thrown)), secrets) }, what);
  return { reason: failure.reason, answer: answerTo(failure, upstream.title, requestId) };
}

const stackOf = (thrown: unknown): unknown => (thrown instanceof Error ? thrown.stack : thrown);
