/**
 * Owns the actors of a token (RFC 8693 §4.1): the client that acts is outermost, those that acted before it are nested. They say who
 * acted; only the outermost one is looked at to decide anything.
 */
import { isObject } from '@mcp-oauth/shared/json';

export interface Actor {
  /** The id of a client of ours. */
  readonly sub: string;
  readonly act?: Actor;
}

/** Longer chains are refused before any policy is looked at. */
export const MOST_ACTORS = 8;

/** @returns `undefined` for what no token of ours has */
export function actorIn(act: unknown, left = MOST_ACTORS): Actor | undefined {
  if (!isObject(act) || typeof act.sub !== 'string' || left === 0) return undefined;
  if (act.act === undefined) return { sub: act.sub };
  const before = actorIn(act.act, left - 1);
  return before && { sub: act.sub, act: before };
}

/** From the one that acts to the one that acted first. */
export const actorsOf = (actor: Actor | undefined): readonly string[] =>
  actor ? [actor.sub, ...actorsOf(actor.act)] : [];

export const actingAfter = (sub: string, before: Actor | undefined): Actor => ({
  sub,
  ...(before && { act: before }),
});
