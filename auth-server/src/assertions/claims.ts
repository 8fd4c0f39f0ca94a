/**
 * Owns the claims that every assertion needs, whatever its kind (RFC 7523 §3): one audience, which is this server, a subject, and times
 * within bounds.
 */
import type { JsonObject } from '@mcp-oauth/shared/json';
import { isSubject } from '../federation/subject.ts';
import { AssertionRefused } from './refused.ts';

export interface AssertionExpected {
  /** The `aud`. */
  readonly audience: string;
  /** Seconds since the epoch. */
  readonly now: number;
  /** Seconds that an assertion may be valid in all. */
  readonly longest: number;
}

export interface CommonClaims {
  readonly subject: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Seconds by which two clocks may differ. */
const SKEW = 30;
const LONGEST_ID = 255;

/** @throws AssertionRefused */
export function readCommonClaims(claims: JsonObject, { audience, now, longest }: AssertionExpected): CommonClaims {
  const { aud, sub } = claims;
  // A second audience gets the assertion too, and could present it here.
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length !== 1 || audiences[0] !== audience) {
    const facts = { claim: 'aud', expected: audience, found: aud };
    throw new AssertionRefused('aud', 'aud is not this server alone', facts);
  }
  if (!isSubject(sub)) throw new AssertionRefused('claims', 'sub names nobody', { claim: 'sub', found: sub });
  return { subject: sub, ...timesIn(claims, now, longest) };
}

/** RFC 7523 §3 rules 4 to 6. */
function timesIn({ exp, iat, nbf }: JsonObject, now: number, longest: number) {
  const refuse = (claim: string, message: string, found: unknown): never => {
    throw new AssertionRefused('times', message, { claim, expected: `now ${now}`, found });
  };
  if (!isTime(exp)) return refuse('exp', 'exp is not a time', exp);
  if (!isTime(iat)) return refuse('iat', 'iat is not a time', iat);
  if (exp <= now - SKEW) refuse('exp', 'it has expired', exp);
  if (iat > now + SKEW) refuse('iat', 'it was issued in the future', iat);
  if (exp <= iat) refuse('exp', 'it expires before it was issued', exp);
  if (exp - iat > longest) refuse('exp', `it is valid for longer than ${longest} s`, exp);
  if (nbf !== undefined && !isTime(nbf)) refuse('nbf', 'nbf is not a time', nbf);
  if (isTime(nbf) && nbf > now + SKEW) refuse('nbf', 'it is not valid yet', nbf);
  return { issuedAt: iat, expiresAt: exp };
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** A claim that is a text of reasonable length. @throws AssertionRefused if it is missing or anything else */
export function requiredText(claims: JsonObject, name: string): string {
  const value = claims[name];
  if (typeof value === 'string' && value !== '' && value.length <= LONGEST_ID) return value;
  throw new AssertionRefused('claims', `${name} is missing or not a text`, { claim: name, found: value });
}
