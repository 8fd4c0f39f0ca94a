/** Owns how the values of an issuer become scopes of this server: prefixes, and a map with patterns. */
import { SCOPE_TOKEN } from '@mcp-oauth/shared/contract';

export interface ScopeMapping {
  /** Their value. One `*` stands for any text. */
  readonly theirs: string;
  readonly ours: string;
}

/** Reads `role-*=mcp:tools`; their value may contain `=`. @throws Error that says what was expected */
export function readScopeMapping(text: string): ScopeMapping {
  const at = text.lastIndexOf('=');
  const [theirs, ours] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  if (theirs === '' || !SCOPE_TOKEN.test(ours))
    throw new Error(`expected their value and our scope, ops=mcp:admin: ${text}`);
  if (theirs.split('*').length > 2) throw new Error(`expected at most one * in their value: ${text}`);
  return { theirs, ours };
}

/** Our scopes for one value. @returns nothing if the map does not name the value */
export const mapped = (value: string, map: readonly ScopeMapping[]): readonly string[] =>
  map.filter(({ theirs }) => fits(value, theirs)).map(({ ours }) => ours);

function fits(value: string, pattern: string): boolean {
  const star = pattern.indexOf('*');
  if (star === -1) return value === pattern;
  const [start, end] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return value.length >= start.length + end.length && value.startsWith(start) && value.endsWith(end);
}

export function withoutPrefix(value: string, prefixes: readonly string[]): string {
  const prefix = prefixes.find((one) => value.startsWith(one) && value.length > one.length);
  return prefix === undefined ? value : value.slice(prefix.length);
}
