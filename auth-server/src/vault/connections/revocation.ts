/**
 * Owns the end of tokens at the upstream that gave them, by RFC 7009 or its own API: within a deadline, and only where it answers. They
 * are deleted here before, so nothing waits for it but who wants to.
 */
import type { UpstreamSession } from '../../federation/connector.ts';
import { toUpstreamError } from '../../federation/failure.ts';
import type { OpenTools } from '../../federation/registry.ts';
import type { Holder } from '../vault.ts';
import { before, type RenewalDependencies, secretsOf } from './renewal.ts';

/** Never fails. */
export type RevokeTokens = (holder: Holder, session: UpstreamSession) => Promise<void>;

export interface RevocationDependencies extends Pick<RenewalDependencies, 'deadline' | 'onFailure'> {
  readonly tools: readonly OpenTools[];
}

/** Seconds that the upstream may take. A person who disconnects an account waits for it. */
const PATIENCE = 10;

export const createRevocation =
  ({ tools: all, deadline, onFailure }: RevocationDependencies): RevokeTokens =>
  async (holder, session) => {
    const tools = all.find(({ id }) => id === holder.connector);
    if (!tools?.access.revoke) return;
    const signal = deadline(PATIENCE);
    await before(signal, async () => tools.access.revoke?.(session, signal)).catch((thrown: unknown) =>
      onFailure(tools, holder, toUpstreamError(thrown), secretsOf(session)),
    );
  };

/** Beyond it tokens are only deleted here: a directory can deactivate everybody at once. */
const MOST = 100;

export interface BackgroundRevocation {
  readonly revoke: RevokeTokens;
  /** Resolves when none is under way any more. */
  finished(): Promise<void>;
  /** Whose tokens are being ended. */
  underWay(): readonly Holder[];
}

/** The same without waiting. @param onSkipped called where too many are under way */
export function inBackground(revoke: RevokeTokens, onSkipped: (holder: Holder) => void): BackgroundRevocation {
  const running = new Map<Promise<void>, Holder>();
  return {
    revoke: async (holder, session) => {
      if (running.size >= MOST) {
        onSkipped(holder);
        return;
      }
      const work = revoke(holder, session);
      const done = () => {
        running.delete(work);
      };
      running.set(work, holder);
      work.then(done, done);
    },
    finished: async () => {
      while (running.size > 0) await Promise.allSettled(running.keys());
    },
    underWay: () => [...running.values()],
  };
}
