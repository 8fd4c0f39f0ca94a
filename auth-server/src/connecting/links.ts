/**
 * Owns the links at which a person connects an account for tools. A link is for one person, one client, one connector and its scopes
 * (MCP 2026-07-28, elicitation: bound to the client and to the identity of the user), is used once and ends after ten minutes. It
 * gives no access: its page asks for a session of that person. The store has the digest of its handle only.
 */
import { createHash } from 'node:crypto';
import type { Random } from '../federation/login.ts';
import type { RecordStore } from '../storage/record-store.ts';

/** What a link is for. It never changes, so a person approves what the page of the link showed. */
export interface LinkPurpose {
  /** The person whose tools need the account: the only one who may use the link. */
  readonly accountId: string;
  /** The client for which the tools act. */
  readonly clientId: string;
  /** The id of the connector. */
  readonly connector: string;
  /** What the tools need at the upstream. */
  readonly scopes: readonly string[];
}

export interface Links {
  create(purpose: LinkPurpose): Promise<{ readonly uri: string; readonly expiresIn: number }>;
  /** Reads without using it up: somebody may only look at the page. */
  find(handle: string): Promise<LinkPurpose | undefined>;
  /** Of concurrent calls exactly one gets the link. */
  take(handle: string): Promise<LinkPurpose | undefined>;
}

/** Seconds after which a link ends. */
export const LINK_LIFETIME = 600;

const KIND = 'ConnectLink';

/** A path as logs may have it: who reads them must not get the link of somebody else. */
export const withoutHandle = (path: string): string => path.replace(/(\/connect\/)[\w-]{43}/, '$1…');

const keyOf = (handle: string): string => createHash('sha256').update(handle).digest('base64url');

interface Options {
  readonly issuer: string;
  readonly store: RecordStore;
  readonly random: Random;
}

export function createLinks({ issuer, store, random }: Options): Links {
  const purposeOf = (record: { readonly value: unknown } | undefined) => record?.value as LinkPurpose | undefined;
  return {
    create: async ({ accountId, clientId, connector, scopes }) => {
      const handle = Buffer.from(random(32)).toString('base64url');
      const purpose = { accountId, clientId, connector, scopes: [...scopes] };
      await store.put(KIND, keyOf(handle), purpose, { ttl: LINK_LIFETIME });
      return { uri: `${issuer}/connect/${handle}`, expiresIn: LINK_LIFETIME };
    },
    find: async (handle) => purposeOf(await store.get(KIND, keyOf(handle))),
    take: async (handle) => purposeOf(await store.take(KIND, keyOf(handle))),
  };
}
