/**
 * Owns what an exchange for a connector asks of the accounts that people have connected, and how it answers where only the person can
 * help: with a link at which they connect one.
 */
import { ExchangeRefused } from './refusal.ts';

/** A connector whose tokens tools may get. */
export interface UpstreamTools {
  readonly id: string;
  /** What the operator lets tools have. */
  readonly scopes: readonly string[];
}

interface Holder {
  readonly connector: string;
  readonly accountId: string;
}

interface Token {
  readonly token: string;
  /** In seconds since the epoch. Absent: unknown. */
  readonly expiresAt?: number | undefined;
  readonly scopes: readonly string[];
}

/** What only the person can give. */
type Needed = 'connection' | 'scopes' | 'consent';

/** The accounts that people have connected, and the links at which they connect one. */
export interface UpstreamAccounts {
  readonly tools: readonly UpstreamTools[];
  readonly connections: {
    /** @throws UpstreamError `unavailable` */
    token(
      holder: Holder,
      request: { readonly scopes: readonly string[]; readonly rejected?: string | undefined },
    ): Promise<Token | { readonly needs: Needed }>;
  };
  readonly links: {
    create(
      purpose: Holder & { readonly clientId: string; readonly scopes: readonly string[] },
    ): Promise<{ readonly uri: string; readonly expiresIn: number }>;
  };
}

const SAID: Readonly<Record<Needed, string>> = {
  connection: 'the user has not connected an account',
  scopes: 'the user has connected an account with fewer scopes',
  consent: 'the user has to connect the account again',
};

/** For the client, in the characters of an `error_description` (RFC 6749 §5.2). */
export const describeNeed = (needs: Needed): string => SAID[needs];

/**
 * The scopes that a tool needs of an upstream: those that are asked for, or all that the operator names.
 * @throws ExchangeRefused for any other scope
 */
export function scopesAt({ scopes }: UpstreamTools, asked: string | undefined): readonly string[] {
  const names = asked?.split(' ') ?? scopes;
  if (names.every((name) => scopes.includes(name))) return names;
  throw new ExchangeRefused('invalid_scope', 'the operator does not let tools have all of these scopes');
}
