/**
 * Owns the renewal of a connection, from the lease to the stored tokens. Of all requests on all replicas one renews, because refresh
 * tokens rotate (RFC 9700 §4.14.2).
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { type Connected, UpstreamError, type UpstreamSession } from '../../federation/connector.ts';
import { toUpstreamError } from '../../federation/failure.ts';
import type { OpenTools } from '../../federation/registry.ts';
import { DEADLINE, type VaultRecord } from '../record.ts';
import type { Holder, Vault } from '../vault.ts';
import { ended, exchanged, failed, renewed, renewing } from './changes.ts';
import type { Connection } from './connection.ts';

export interface RenewalDependencies {
  readonly vault: Vault;
  readonly clock: Clock;
  /** @returns a signal that is aborted after so many seconds */
  readonly deadline: (seconds: number) => AbortSignal;
  /** A request to the upstream without an answer. @param secrets values that no log may show */
  readonly onFailure: (tools: OpenTools, holder: Holder, error: UpstreamError, secrets: readonly string[]) => void;
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
  const secrets = secretsOf(session);
  let stored = session;
  let newest = session;
  const onExchanged = async (next: UpstreamSession): Promise<void> => {
    newest = next;
    secrets.push(...secretsOf(next));
    // Not thrown here: the connector would take a failure of our store for one of the upstream. It is written again below.
    await vault.change(holder, exchanged(stored, next)).then(
      () => {
        stored = next;
      },
      () => undefined,
    );
  };
  const signal = deadline(DEADLINE);
  const result = await before(signal, () =>
    tools.access.refresh({ session, scopes: connection.scopes }, onExchanged, signal),
  ).catch((thrown) => {
    const error = toUpstreamError(thrown);
    onFailure(tools, holder, error, secrets);
    return error;
  });
  const next = afterwards(result, { stored, newest, now: seconds(clock) });
  const written = await vault.change(holder, next);
  const unused = result instanceof UpstreamError ? newest : result.session;
  return written || unused === session || (await vault.find(holder))?.connection ? undefined : unused;
}

interface Held {
  /** What the connection has now. */
  readonly stored: UpstreamSession;
  readonly newest: UpstreamSession;
  readonly now: number;
}

function afterwards(result: Pick<Connected, 'session' | 'scopes'> | UpstreamError, { stored, newest, now }: Held) {
  if (!(result instanceof UpstreamError)) return renewed(stored, result, now);
  return ['ended', 'denied'].includes(result.reason) ? ended(stored) : failed(stored, newest, now);
}

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
