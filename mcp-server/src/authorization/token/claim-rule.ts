/** Owns a rule about one claim of a token: its path and the values of which it must have one. */
import { textsAt } from '@mcp-oauth/shared/claim-path';

export interface ClaimRule {
  /** Names of members with a dot between them. */
  readonly path: string;
  /** Compared exactly. */
  readonly values: readonly string[];
}

/** RFC 6749 §3.3: a text of these claims is a list, with a space between two scopes. */
const SCOPE_LISTS = new Set(['scope', 'scp']);

export const isScopeList = (path: string): boolean => SCOPE_LISTS.has(path);

/** The values of a claim: a text is one value, and a list has several. */
export const valuesAt = (claims: unknown, path: string): readonly string[] => {
  const texts = textsAt(claims, path);
  return isScopeList(path) ? texts.flatMap((text) => text.split(' ')) : texts;
};

export const isKept = (claims: unknown, { path, values }: ClaimRule): boolean =>
  valuesAt(claims, path).some((value) => values.includes(value));

/** Reads `tid=one|another`. @throws Error that says what was expected */
export function readClaimRule(text: string): ClaimRule {
  const at = text.indexOf('=');
  const path = text.slice(0, Math.max(at, 0));
  const values = text.slice(at + 1).split('|');
  if (values.some((value) => value.includes('*')))
    throw new Error(`expected each value in full: wildcards are not supported: ${text}`);
  if (path === '' || values.includes('')) throw new Error(`expected a claim and its values, tid=one|another: ${text}`);
  return { path, values };
}
