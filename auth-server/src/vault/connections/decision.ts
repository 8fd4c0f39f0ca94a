/** Owns what a request for a token of a connection gets, decided by time and by what is stored alone. */
import { createHash } from 'node:crypto';
import type { UpstreamSession } from '../../federation/connector.ts';
import type { Connection } from './connection.ts';

/** What a tool needs. */
export interface TokenRequest {
  readonly scopes: readonly string[];
  /** The client for which the tool acts. Absent: its token says that the person has allowed it. */
  readonly client?: string | undefined;
  /** SHA-256 (base64url) of an access token that the API of the upstream has refused with 401. */
  readonly rejected?: string | undefined;
}

export interface UpstreamToken {
  readonly token: string;
  /** In seconds since the epoch. Absent: unknown. */
  readonly expiresAt?: number | undefined;
  readonly scopes: readonly string[];
}

/** What only the person can give. */
export interface Need {
  readonly needs:
    | 'connection' // the account is not connected
    | 'approval' // it is, but not for this client
    | 'scopes' // it is, with fewer scopes
    | 'consent'; // the upstream does not accept its tokens any more
}

export type Decision =
  | { readonly kind: 'ready'; readonly token: UpstreamToken }
  | { readonly kind: 'need'; readonly need: Need }
  | { readonly kind: 'renew'; readonly session: UpstreamSession }
  /** An API has refused a token that can't be renewed, or was just renewed: the upstream is asked whether it is good. */
  | { readonly kind: 'refused'; readonly session: UpstreamSession; readonly token: UpstreamToken }
  /** Its tokens are worth nothing any more. */
  | { readonly kind: 'ended'; readonly session: UpstreamSession }
  /** Another request renews it at this moment. */
  | { readonly kind: 'running' }
  /** The last renewal failed a moment ago. */
  | { readonly kind: 'away' };

/** Seconds before its end in which an access token is renewed, and in which it is not used any more. */
const EARLY = 120;
const MARGIN = 5;

/**
 * Seconds after a renewal in which a token that is refused is not renewed again, and after an answer about it in which the upstream is not
 * asked again.
 */
const NEW = 30;

/** Seconds after a renewal that failed in which nobody tries again. */
const PAUSE = 5;

const digest = (token: string): string => createHash('sha256').update(token).digest('base64url');

const need = (needs: Need['needs']): Decision => ({ kind: 'need', need: { needs } });

export function decide(connection: Connection | undefined, request: TokenRequest, now: number): Decision {
  if (!connection) return need('connection');
  const { session, scopes, lease, failedAt = 0, renewedAt = 0, asked } = connection;
  if (session?.accessToken === undefined) return need('consent');
  if (request.client !== undefined && !connection.clients.includes(request.client)) return need('approval');
  if (!request.scopes.every((scope) => scopes.includes(scope))) return need('scopes');
  const { accessToken, refreshToken, expiresAt = Number.POSITIVE_INFINITY } = session;
  const isRefused = request.rejected !== undefined && digest(accessToken) === request.rejected;
  const lasts = expiresAt > now + MARGIN;
  const isUsable = !isRefused && lasts;
  const token = { token: accessToken, expiresAt: session.expiresAt, scopes };
  const ready: Decision = { kind: 'ready', token };
  if (isRefused && lasts && (refreshToken === undefined || now - renewedAt < NEW)) {
    if (asked === undefined || now - asked.at >= NEW) return { kind: 'refused', session, token };
    return asked.isGood ? ready : need('consent');
  }
  if (isUsable && (expiresAt > now + EARLY || refreshToken === undefined)) return ready;
  if (refreshToken === undefined) return { kind: 'ended', session };
  if (isRefused && now - renewedAt < NEW) return need('consent');
  if (lease !== undefined && lease > now) return isUsable ? ready : { kind: 'running' };
  if (now - failedAt < PAUSE) return isUsable ? ready : { kind: 'away' };
  return { kind: 'renew', session };
}
