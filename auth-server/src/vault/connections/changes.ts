/**
 * Owns what becomes of a connection with each event, as pure functions. What a renewal finds out is written only where the connection
 * still has the tokens of that renewal.
 */
import type { Connected, UpstreamSession } from '../../federation/connector.ts';
import { label } from '../../federation/subject.ts';
import type { VaultRecord } from '../record.ts';
import type { ConnectedAccount, Connection } from './connection.ts';

type Current = VaultRecord | undefined;

/** The next record, or `undefined` to leave it. */
type Next = (record: Current) => Current;

/** @param held what one renewal uses */
const hasTokensOf = ({ session }: Connection, held: UpstreamSession): boolean =>
  session !== undefined && session.accessToken === held.accessToken && session.refreshToken === held.refreshToken;

const change =
  (next: (connection: Connection) => Connection | undefined): Next =>
  (record) => {
    const connection = record?.connection && next(record.connection);
    return connection && { ...record, connection };
  };

const where = (held: UpstreamSession, next: (connection: Connection) => Connection): Next =>
  change((connection) => (hasTokensOf(connection, held) ? next(connection) : undefined));

/** Beyond it the oldest one is asked for again. */
const MOST_CLIENTS = 100;

/** @param client for which it is connected; absent: for those of before */
export const connected =
  ({ session, scopes, identity }: Connected, now: number, client?: string): Next =>
  (record) => {
    const account = accountOf(identity);
    const before = record?.connection;
    const others = before && isCovered({ account, scopes }, before) ? before.clients.filter((id) => id !== client) : [];
    const clients = [...others, ...(client === undefined ? [] : [client])].slice(-MOST_CLIENTS);
    return { ...record, connection: { session, scopes, account, clients, connectedAt: now, usedAt: now } };
  };

/**
 * Whether what was allowed before covers this: it says nothing about another account, or one that the upstream does not name, and nothing
 * about further scopes.
 */
const isCovered = ({ account, scopes }: Pick<Connection, 'account' | 'scopes'>, before: Connection): boolean =>
  account.subject !== undefined &&
  account.subject === before.account.subject &&
  scopes.every((scope) => before.scopes.includes(scope));

/** A name of the person at the upstream that they recognize. */
const accountOf = (identity: Connected['identity']): ConnectedAccount => ({
  subject: identity?.subject,
  name:
    label(identity?.username) ?? label(identity?.email) ?? label(identity?.name) ?? label(identity?.unverifiedEmail),
});

/** The account stays connected for the other clients. */
export const takenFrom = (client: string): Next =>
  change(({ clients, ...connection }) =>
    clients.includes(client) ? { ...connection, clients: clients.filter((id) => id !== client) } : undefined,
  );

export const disconnected: Next = (record) => record?.connection && { ...record, connection: undefined };

/** Seconds after which another request may renew, because the process that did has stopped. It is longer than any renewal. */
const LEASE = 60;

export const renewing = (record: VaultRecord, connection: Connection, now: number): VaultRecord => ({
  ...record,
  connection: { ...connection, lease: now + LEASE },
});

export const renewed = (
  held: UpstreamSession,
  { session, scopes }: Pick<Connected, 'session' | 'scopes'>,
  now: number,
): Next =>
  where(held, (connection) => ({
    ...connection,
    session,
    scopes,
    renewedAt: now,
    asked: undefined,
    failedAt: undefined,
    lease: undefined,
  }));

export const failed = (held: UpstreamSession, now: number): Next =>
  where(held, (connection) => ({ ...connection, failedAt: now, lease: undefined }));

export const asked = (held: UpstreamSession, isGood: boolean, now: number): Next =>
  where(held, (connection) => ({ ...connection, asked: { at: now, isGood } }));

/** Its tokens are worth nothing any more, so they are not kept. */
export const ended = (held: UpstreamSession): Next =>
  where(held, (connection) => ({ ...connection, session: undefined, failedAt: undefined, lease: undefined }));

const DAY = 86_400;

/** Whether the last use was noted so long ago that it is noted again. Then its record lives on. */
export const isUseDue = ({ usedAt }: Connection, now: number): boolean => now - usedAt >= DAY;

export const used = (now: number): Next => change((connection) => ({ ...connection, usedAt: now }));
