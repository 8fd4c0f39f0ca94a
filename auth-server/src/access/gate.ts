/**
 * Owns the port to everything that can refuse a person: the rules of the operator, a deactivation, the answer of the upstream. The
 * gates are asked in order at a sign-in, when a browser session is used, and at each code exchange and refresh.
 */
import type { Account } from '../federation/account.ts';

/** When a gate is asked: the person has just signed in, their browser session is used, or a token is requested. */
export type Occasion = 'sign-in' | 'session' | 'token';

export interface AccessRefusal {
  /** For the log: which rule, list or answer refused the person. */
  readonly reason: string;
  /** For the client, in the characters of an `error_description` (RFC 6749 §5.2). */
  readonly description: string;
  /** Whether the grant ends. Absent: a later request may succeed again. */
  readonly isFinal?: boolean | undefined;
}

interface Verdict {
  readonly refusal?: AccessRefusal | undefined;
  /** The account with what the gate has found out; later gates get this one. Absent: unchanged. */
  readonly account?: Account | undefined;
}

/**
 * @param approvedAt when the person approved what a token is requested for, in seconds since the epoch
 * @returns `undefined` if it does not object
 */
export type Gate = (account: Account, occasion: Occasion, approvedAt?: number) => Promise<Verdict | undefined>;

export interface Passage {
  readonly account: Account;
  readonly refusal?: AccessRefusal | undefined;
}

/** Asks the gates in order, up to the first that refuses. */
export const passThrough =
  (gates: readonly Gate[]) =>
  async (account: Account, occasion: Occasion, approvedAt?: number): Promise<Passage> => {
    let current = account;
    for (const gate of gates) {
      const verdict = await gate(current, occasion, approvedAt);
      current = verdict?.account ?? current;
      if (verdict?.refusal) return { account: current, refusal: verdict.refusal };
    }
    return { account: current };
  };

export type PassThrough = ReturnType<typeof passThrough>;
