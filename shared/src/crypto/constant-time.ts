/** Owns the comparison of secrets in constant time, so that the duration does not reveal how much of a guess is right (CWE-208). */
import { timingSafeEqual } from 'node:crypto';

/** The length of the expected text is not secret. */
export function equalInConstantTime(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
