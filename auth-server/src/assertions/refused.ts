/** Owns why an assertion is not accepted: a reason of a closed list for the log and the audit. A client is told almost none of it. */
import { sanitized } from '../federation/failure.ts';

/** docs/troubleshooting.md explains each. */
export const ASSERTION_REASONS = [
  'malformed', 'typ', 'alg', 'issuer', 'signature', 'aud', 'times', 'claims', 'client', 'public client', 'tenant', 'resource', 'scope',
  'proof', 'person', 'ended', 'rules',
] as const; // biome-ignore format: one list

export type AssertionReason = (typeof ASSERTION_REASONS)[number];

interface Facts {
  /** The claim or header parameter. */
  readonly claim?: string | undefined;
  readonly expected?: unknown;
  readonly found?: unknown;
  readonly cause?: unknown;
}

const LONGEST = 200;

export class AssertionRefused extends Error {
  override readonly name = 'AssertionRefused';
  readonly reason: AssertionReason;
  /** For the log: it came from outside, so it is shortened and has no secrets. */
  readonly facts: Readonly<Record<string, string>>;

  constructor(reason: AssertionReason, message: string, { cause, ...facts }: Facts = {}) {
    super(`${reason}: ${message}`, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.facts = Object.fromEntries(
      Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, shown(value)]])),
    );
  }
}

const shown = (value: unknown): string =>
  sanitized(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')).slice(0, LONGEST);

/** The keys of an issuer could not be read, so nothing can be said about its assertions now. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable';
}
