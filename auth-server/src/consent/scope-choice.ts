/**
 * Owns which of the requested scopes are granted (RFC 6749 §3.3): what the client asked for, without what the person left out and
 * what the person may not have.
 */
import type { PendingInteraction } from './interaction.ts';

interface Bounds {
  /** The scopes that the person ticked; absent: nothing was left out. A fixed scope needs no tick. */
  readonly chosen?: ReadonlySet<string>;
  /** The scopes that the person may have; absent: all. */
  readonly permitted?: ReadonlySet<string>;
}

/** The request within the bounds. What the person left out is remembered as such; what they may not have is only dropped. */
export function narrowed(pending: PendingInteraction, { chosen, permitted }: Bounds): PendingInteraction {
  const isChosen = ({ name, isFixed }: PendingInteraction['scopes'][number]) => isFixed || (chosen?.has(name) ?? true);
  const leftOut = pending.scopes.filter((scope) => !isChosen(scope)).map(({ name }) => name);
  const scopes = pending.scopes.filter((scope) => isChosen(scope) && (permitted?.has(scope.name) ?? true));
  return { ...pending, scopes, leftOut: [...(pending.leftOut ?? []), ...leftOut] };
}

/** The request without scopes that were left out before the person went to an upstream. */
export const without = (pending: PendingInteraction, leftOut: readonly string[] = []): PendingInteraction =>
  narrowed(pending, {
    chosen: new Set(pending.scopes.map(({ name }) => name).filter((name) => !leftOut.includes(name))),
  });
