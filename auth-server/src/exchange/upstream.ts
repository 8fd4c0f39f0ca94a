/**
 * Owns what an exchange for a connector asks of the accounts that people have connected, and how it answers where only the person can
 * help: with a link at which they connect one.
 */
import { upstreamScopeName } from '../resources/upstream-scope.ts';
import { ExchangeRefused } from './refusal.ts';
import type { ExchangeRequest } from './request.ts';
import type { Subject } from './subject-token.ts';

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
export type Needed = 'connection' | 'approval' | 'scopes' | 'consent';

/** The accounts that people have connected, and how people are asked to connect one. */
export interface UpstreamAccounts {
  readonly tools: readonly UpstreamTools[];
  readonly connections: {
    /** @throws UpstreamError `unavailable` */
    token(
      holder: Holder,
      request: {
        readonly scopes: readonly string[];
        /** Absent: the person has allowed it already. */
        readonly client: string | undefined;
        readonly rejected: string | undefined;
      },
    ): Promise<Token | { readonly needs: Needed }>;
  };
  readonly questions: {
    ask(
      purpose: Holder & { readonly clientId: string; readonly scopes: readonly string[] },
      inquiry: Pick<ExchangeRequest, 'wish' | 'link'>,
      onNew: () => Promise<void>,
    ): Promise<Standing>;
  };
}

/** How far the person is with an account that is missing. */
export type Standing =
  | { readonly kind: 'open' | 'declined' | 'failed' }
  /** @param isShown another call shows the link now */
  | { readonly kind: 'link'; readonly uri: string; readonly expiresIn: number; readonly isShown: boolean };

const SAID: Readonly<Record<Needed, string>> = {
  connection: 'the user has not connected an account',
  approval: 'the user has not allowed this client to use the account',
  scopes: 'the user has connected an account with fewer scopes',
  consent: 'the user has to connect the account again',
};

/** For the client, in the characters of an `error_description` (RFC 6749 §5.2). */
export const describeNeed = (needs: Needed): string => SAID[needs];

/**
 * The client for which the person must have connected the account (MCP security best practices, "Confused Deputy Problem"): any client
 * can call tools, and an account that was connected for one of them is not there for all.
 * @returns `undefined` if the person has approved the scope for the account with the token itself
 */
export const clientToAllow = ({ clientId, scopes }: Pick<Subject, 'clientId' | 'scopes'>, connector: string) =>
  scopes.includes(upstreamScopeName(connector)) ? undefined : clientId;

/**
 * The scopes that a tool needs of an upstream: those that are asked for, or all that the operator names.
 * @throws ExchangeRefused for any other scope
 */
export function scopesAt({ scopes }: UpstreamTools, asked: string | undefined): readonly string[] {
  const names = asked?.split(' ') ?? scopes;
  if (names.every((name) => scopes.includes(name))) return names;
  throw new ExchangeRefused('invalid_scope', 'the operator does not let tools have all of these scopes');
}
