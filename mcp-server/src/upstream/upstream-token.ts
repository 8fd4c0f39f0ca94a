/** Owns the token of an upstream, and why there is none. No error of this file has a token in its message. */
import type { Principal } from '../authorization/principal.ts';

/** Whose token is exchanged. */
export interface Caller {
  /** The access token of the request; it goes to its issuer only. */
  readonly token: string;
  readonly principal: Pick<Principal, 'issuer' | 'expiresAt' | 'keyThumbprint'>;
}

export interface UpstreamToken {
  readonly token: string;
  /** `DPoP`: bound to the key of this server (RFC 9449 §5). */
  readonly type: 'Bearer' | 'DPoP';
  /** Absent: the issuer does not say. */
  readonly scopes: readonly string[] | undefined;
  /** Milliseconds since the epoch; absent: unknown. */
  readonly expiresAt: number | undefined;
}

/** The person has to do something first, such as connect an account. */
export class InteractionRequired extends Error {
  override readonly name = 'InteractionRequired';
  /** The page for it; absent: the issuer names none. */
  readonly uri: string | undefined;
  /** Seconds for which the page can be opened. */
  readonly expiresIn: number;
  /** The scope whose approval has the person act as well; absent: the issuer has none. */
  readonly scope: string | undefined;
  /** Whether another call shows the page to the person now. */
  readonly isShown: boolean;

  constructor(uri: string | undefined, expiresIn: number, scope?: string, isShown = false) {
    super('the person has to act first');
    this.uri = uri;
    this.expiresIn = expiresIn;
    this.scope = scope;
    this.isShown = isShown;
  }
}

/** The issuer gives no such token for this caller (RFC 6749 §5.2, RFC 8693 §2.2.2), or one that must not be used. */
export class ExchangeRefused extends Error {
  override readonly name = 'ExchangeRefused';
  /** The error code of the issuer, or what is wrong with its answer. */
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

/** The issuer was not reached, or can't tell now. */
export class ExchangeUnavailable extends Error {
  override readonly name = 'ExchangeUnavailable';
}

/** The issuer accepts no more such requests for a while. */
export class ExchangeLimited extends ExchangeUnavailable {
  /** Whether the person was given too many pages, instead of too many requests of this server. */
  readonly isAboutPages: boolean;
  /** Seconds; absent: the issuer does not say. */
  readonly retryAfter: number | undefined;

  constructor(isAboutPages: boolean, retryAfter: number | undefined) {
    super('it answered 429');
    this.isAboutPages = isAboutPages;
    this.retryAfter = retryAfter;
  }
}

/** What came of an exchange. */
export const EXCHANGE_OUTCOMES = ['given', 'interaction', 'refused', 'unavailable'] as const;

export type ExchangeOutcome = (typeof EXCHANGE_OUTCOMES)[number];

export function outcomeOf(error: unknown): ExchangeOutcome {
  if (error instanceof InteractionRequired) return 'interaction';
  return error instanceof ExchangeRefused ? 'refused' : 'unavailable';
}
