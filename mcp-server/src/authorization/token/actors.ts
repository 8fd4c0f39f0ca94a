/** Owns who acts for the person of a token (RFC 8693 §4.1): they decide nothing here, so what cannot be read is left out. */
import { isObject } from '@mcp-oauth/shared/json';

/** As many as a chain of auth-server has; other issuers may nest more. */
const MOST = 8;

/** @returns the subjects of the actors, from the one that acts to the one that acted first */
export function actorsIn(act: unknown, left = MOST): readonly string[] {
  if (!isObject(act) || left === 0) return [];
  return [...(typeof act.sub === 'string' ? [act.sub] : []), ...actorsIn(act.act, left - 1)];
}
