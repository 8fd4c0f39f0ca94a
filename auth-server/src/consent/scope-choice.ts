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

/**
 * The request without scopes that the person left out before they went to an upstream, or for which an upstream gave no account: that
 * may be one which alone was asked for.
 */
export function without(pending: PendingInteraction, leftOut: readonly string[] = []): PendingInteraction {
  const isKept = ({ name }: PendingInteraction['scopes'][number]) => !leftOut.includes(name);
  const names = pending.scopes.filter((scope) => !isKept(scope)).map(({ name }) => name);
  return { ...pending, scopes: pending.scopes.filter(isKept), leftOut: [...(pending.leftOut ?? []), ...names] };
}
