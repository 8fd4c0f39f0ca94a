/** Owns why an assertion is not accepted: a reason of a closed list for the log and the audit. A client is told almost none of it. */
import { sanitized } from '../federation/failure.ts';

export type AssertionReason =
  | 'malformed' // not a signed JWT, or too deep
  | 'typ'
  | 'alg'
  | 'issuer' // not an issuer that may sign this kind of assertion
  | 'signature' // no key of the issuer made it
  | 'aud'
  | 'times' // expired, not yet valid, or valid for too long
  | 'claims' // a required claim is missing, or cannot be used
  | 'client' // for another client, or for one that the issuer may not speak for
  | 'public client'
  | 'tenant'
  | 'resource'
  | 'scope'
  | 'proof' // bound to a key that the client did not prove
  | 'person' // the claims name nobody here
  | 'ended' // issued before the access was ended
  | 'rules'; // no rule is about this workload

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
