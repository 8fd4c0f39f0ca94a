/**
 * Owns the renewal of a connection, from the lease to the stored tokens. Of all requests on all replicas one renews, because refresh
 * tokens rotate (RFC 9700 §4.14.2).
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { type Connected, UpstreamError, type UpstreamSession } from '../../federation/connector.ts';
import { toUpstreamError } from '../../federation/failure.ts';
import type { OpenTools } from '../../federation/registry.ts';
import type { RecheckObserver } from '../answer.ts';
import { DEADLINE, type VaultRecord } from '../record.ts';
import { type Holder, UnreadableRecord, type Vault } from '../vault.ts';
import { ended, failed, renewed, renewing } from './changes.ts';
import type { Connection } from './connection.ts';

export interface RenewalDependencies {
  readonly vault: Vault;
  readonly clock: Clock;
  /** @returns a signal that is aborted after so many seconds */
  readonly deadline: (seconds: number) => AbortSignal;
  /** A request to the upstream without an answer. @param secrets values that no log may show */
  readonly onFailure: (tools: OpenTools, holder: Holder, error: UpstreamError, secrets: readonly string[]) => void;
  /** Called with the outcome of a renewal. */
  readonly onOutcome?: RecheckObserver | undefined;
}

export interface Renewal {
  readonly tools: OpenTools;
  readonly holder: Holder;
  /** As it is stored. */
  readonly record: VaultRecord;
  readonly connection: Connection;
  readonly session: UpstreamSession;
}

/**
 * Renews, if nobody else does.
 * @returns a session that was not stored because the connection has ended meanwhile: nobody can use it, and it should be revoked
 */
export async function renew(renewal: Renewal, dependencies: RenewalDependencies): Promise<UpstreamSession | undefined> {
  const { tools, holder, record, connection, session } = renewal;
  const { vault, clock, deadline, onFailure } = dependencies;
  const leased = await vault.replace(holder, record, renewing(record, connection, seconds(clock)));
  if (!leased) return undefined;
  const signal = deadline(DEADLINE);
  const held = { session, scopes: connection.scopes };
  const result = await before(signal, () => tools.access.refresh(held, signal)).catch((thrown) => {
    const error = toUpstreamError(thrown);
    onFailure(tools, holder, error, secretsOf(session));
    return error;
  });
  dependencies.onOutcome?.(tools.id, result instanceof UpstreamError ? result.reason : 'ok');
  const next = afterwards(result, session, seconds(clock));
  const write = () => vault.change(holder, next);
  // Once more: without the new refresh token the connection has ended.
  const written = await write().catch(write);
  if (written || result instanceof UpstreamError || (await readable(vault, holder))?.connection) return undefined;
  return result.session;
}

type Result = Pick<Connected, 'session' | 'scopes'> | UpstreamError;

function afterwards(result: Result, held: UpstreamSession, now: number) {
  if (!(result instanceof UpstreamError)) return renewed(held, result, now);
  return ['ended', 'denied'].includes(result.reason) ? ended(held) : failed(held, now);
}

/** A record that cannot be opened has no connection that anybody could use. */
export const readable = (vault: Vault, holder: Holder): Promise<VaultRecord | undefined> =>
  vault.find(holder).catch((error: unknown): undefined => {
    if (!(error instanceof UnreadableRecord)) throw error;
  });

/** Ends with the signal although the connector may not: the lease must not end before the renewal. */
export async function before<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const end = () => reject(new UpstreamError('unavailable', 'the upstream gave no answer before the deadline'));
  signal.addEventListener('abort', end);
  try {
    return await Promise.race([work(), late]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

export const secretsOf = ({ refreshToken, accessToken }: UpstreamSession): string[] =>
  [refreshToken, accessToken].filter((secret) => secret !== undefined);
