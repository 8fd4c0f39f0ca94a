/** Owns what a token of one issuer must say, as data: which claims decide, and which setting an operator changes to alter a rule. */
import type { ClaimRule } from './claim-rule.ts';
import type { ScopeMapping } from './scope-map.ts';

export interface TokenRules {
  /** Compared with `iss` character by character. */
  readonly issuer: string;
  /** Every identifier of this resource; one of them must be in `aud`. */
  readonly audiences: readonly string[];
  /** The claim that stands for the audience in tokens without `aud`; absent: such tokens are refused. */
  readonly audienceClaim?: ClaimRule | undefined;
  /** Accepted `typ` headers; `none` stands for a token without one. */
  readonly types: readonly string[];
  readonly algorithms: readonly string[];
  /** Seconds that the clocks of the issuer and of this machine may differ. */
  readonly clockTolerance: number;
  /** Paths; the first claim that is present identifies the person or machine. */
  readonly subjectClaims: readonly string[];
  /** Paths; the first claim that is present identifies the client. Empty: tokens of this issuer name no client. */
  readonly clientClaims: readonly string[];
  /** Paths; the scopes of all of them are joined. */
  readonly scopeClaims: readonly string[];
  readonly scopePrefixes: readonly string[];
  readonly scopeMap: readonly ScopeMapping[];
  /** Whether the keys of its issuer are also those of other tenants, which may have keys of their own in the set. */
  readonly sharesKeys?: boolean;
  /** Origins of the status lists that its tokens may refer to; absent: no list is read. */
  readonly statusOrigins?: readonly string[] | undefined;
  /** All of them must hold. */
  readonly requiredClaims: readonly ClaimRule[];
  /** The variable by which an operator changes a rule of this issuer, by the name that it has if there is one issuer. */
  variable(name: string): string;
}

/** The name of a token without a `typ` header in TOKEN_TYPES. */
export const UNTYPED = 'none';
