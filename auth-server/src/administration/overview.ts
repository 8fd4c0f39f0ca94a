/**
 * Owns what the pages of the operator show: rows of people, clients, grants and keys, and the state of the server. The port behind
 * them only reads. Names and addresses come from other people and identify nobody: the ids do.
 */
import type { RecentRefusal } from './refusals.ts';

/** Times are seconds since the epoch. */
export interface PersonRow {
  /** The `sub` of the tokens. */
  readonly accountId: string;
  /** Absent: the account is no longer stored. */
  readonly name?: string | undefined;
  readonly address?: string | undefined;
  readonly connector?: string | undefined;
  readonly signedInAt?: number | undefined;
  /** How many there are. Absent: not counted. */
  readonly grants?: number | undefined;
}

/** Where a client comes from: it was added by the operator, registered itself, publishes its metadata, or is no longer stored. */
export type ClientOrigin = 'operator' | 'registered' | 'published' | 'removed';

export interface ClientRow {
  readonly clientId: string;
  readonly name?: string | undefined;
  readonly origin: ClientOrigin;
  readonly lastUsedAt?: number | undefined;
  /** How many people have approved it. Absent: not counted. */
  readonly people?: { readonly count: number; readonly orMore: boolean } | undefined;
}

export interface GrantRow {
  readonly id: string;
  readonly person: PersonRow;
  readonly client: ClientRow;
  readonly resources: readonly string[];
  readonly scopes: readonly string[];
  readonly organisation?: string | undefined;
  readonly createdAt: number;
  /** The last refresh: auth-server sees no call. */
  readonly lastUsedAt?: number | undefined;
  readonly expiresAt?: number | undefined;
}

export interface KeyRow {
  readonly kid: string;
  readonly algorithm: string;
  /** Which of the two rings it belongs to. Personal tokens are those of services, too. */
  readonly signs: 'personal tokens' | 'all other tokens';
  readonly state: string;
  readonly signsFrom: number;
  readonly publishedUntil?: number | undefined;
}

/** The list in which new tokens get their status reference. */
export interface StatusListState {
  readonly id: string;
  readonly version: number;
  /** Entries. */
  readonly size: number;
}

export interface Versions {
  readonly server: string;
  readonly engine: string;
  readonly node: string;
}

export interface Listed<Row> {
  readonly rows: readonly Row[];
  /** Continues the list. Absent: it is complete. */
  readonly next?: string | undefined;
}

/** The first rows of each list. */
export interface Newest {
  readonly people: Listed<PersonRow>;
  readonly clients: Listed<ClientRow>;
  readonly grants: Listed<GrantRow>;
}

export interface Whose {
  readonly person?: string | undefined;
  readonly client?: string | undefined;
}

export interface Administration {
  readonly versions: Versions;
  /** @param most of each list; one that has more says so by `next` */
  newest(most: number): Promise<Newest>;
  people(cursor?: string): Promise<Listed<PersonRow>>;
  clients(cursor?: string): Promise<Listed<ClientRow>>;
  /** The same rows, with how many people have approved each. */
  counted(clients: Listed<ClientRow>): Promise<Listed<ClientRow>>;
  /** Newest first. */
  grants(whose: Whose, cursor?: string): Promise<Listed<GrantRow>>;
  person(accountId: string): Promise<PersonRow | undefined>;
  client(clientId: string): Promise<ClientRow | undefined>;
  grant(id: string): Promise<GrantRow | undefined>;
  keys(): Promise<readonly KeyRow[]>;
  refusals(): Promise<readonly RecentRefusal[]>;
  /** Absent: there is none yet. */
  statusList(): Promise<StatusListState | undefined>;
}
