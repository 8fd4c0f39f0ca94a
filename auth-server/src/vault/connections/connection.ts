/** Owns what is stored of a connection: the account of a person at an upstream that tools may use, its tokens, and who renews them. */
import type { UpstreamSession } from '../../federation/connector.ts';

/** Whose account it is at the upstream, as far as the upstream says it. */
export interface ConnectedAccount {
  readonly subject?: string | undefined;
  /** For display. */
  readonly name?: string | undefined;
}

/** Times are in seconds since the epoch. */
export interface Connection {
  /** Absent: the upstream has ended it, and the person has to connect the account again. */
  readonly session?: UpstreamSession | undefined;
  readonly scopes: readonly string[];
  readonly account: ConnectedAccount;
  /** The clients for which the person has connected it, the newest last. Tools act for no other. */
  readonly clients: readonly string[];
  readonly connectedAt: number;
  /** The last use, in steps of a day. */
  readonly usedAt: number;
  /** When its access token was renewed. */
  readonly renewedAt?: number | undefined;
  /** When the upstream was asked about the access token, because an API had refused it, and whether it accepts it. */
  readonly asked?: { readonly at: number; readonly isGood: boolean } | undefined;
  /** When the last renewal failed without a verdict. Absent: the last one succeeded. */
  readonly failedAt?: number | undefined;
  /** Until when one request alone may renew it. Absent: nobody is renewing it. */
  readonly lease?: number | undefined;
}
