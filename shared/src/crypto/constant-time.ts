/** Owns the comparison of secrets: the time it takes does not reveal how much of a guess is right (CWE-208). */
import { timingSafeEqual } from 'node:crypto';

/** The length of the expected text is no secret. */
export function equalInConstantTime(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
