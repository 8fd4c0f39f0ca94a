/**
 * Owns a sign-in that is in progress at an upstream: its checks, the state that waits for the answer (RFC 6749 §10.12), and the
 * outcome for the interaction. Every record can be taken once only.
 */
import { createHash } from 'node:crypto';
import type { RecordStore } from '../storage/record-store.ts';
import type { LoginChecks } from './connector.ts';

/** Seconds that a person has at the upstream. */
export const LOGIN_LIFETIME = 600;

/** A sign-in that continues an authorization request. */
interface LoginOfInteraction {
  readonly uid: string;
  readonly connector: string;
  /** The approval that was given before the redirect to the upstream, as a digest of what the page showed. */
  readonly approval: string;
  /** Scopes that the person left out on the page; absent: none. */
  readonly leftOut?: readonly string[];
}

/** A sign-in to a page of this server, without a client. */
export interface LoginOfPage {
  readonly connector: string;
  readonly page: {
    /** Path of the page below the issuer, to which the browser goes on. */
    readonly path: string;
    /** When the sign-in began, in seconds since the epoch, if the person has to sign in at the upstream again. */
    readonly reauthenticatesAt?: number;
  };
}

/** The way to an upstream on which a person, who is known already, connects an account for tools. It signs nobody in. */
export interface LoginOfConnection {
  readonly connector: string;
  readonly connection: {
    readonly accountId: string;
    /** For which client the tools act. */
    readonly clientId: string;
    readonly scopes: readonly string[];
    /** The authorization request that goes on afterwards. Absent: the person came by a link. */
    readonly interaction?: string | undefined;
    /** The link by which the person came, as it is stored (connecting/links.ts). */
    readonly link?: string | undefined;
  };
}

type Login = LoginOfInteraction | LoginOfPage | LoginOfConnection;

/** The state that waits for the upstream's answer. */
export type LoginState = Login & Pick<LoginChecks, 'nonce' | 'codeVerifier'>;

/** A person who signed in at an upstream. */
export interface SignedIn {
  readonly accountId: string;
  /** When the answer of the upstream arrived, in seconds since the epoch. */
  readonly since: number;
  /** Identifies the session at the upstream (logout/signed-out.ts). Absent: the upstream named none. */
  readonly upstreamSession?: string | undefined;
}

/** How a sign-in ended; its interaction finishes with this outcome. */
export type LoginOutcome = Pick<LoginOfInteraction, 'approval' | 'leftOut'> &
  (
    | SignedIn
    /** The session of this browser goes on. */
    | { readonly accountId: string; readonly since?: undefined }
    | { readonly error: 'access_denied' | 'temporarily_unavailable' | 'server_error'; readonly description: string }
  );

export interface Logins {
  /** Creates checks; nothing is stored before `start`. */
  createChecks(): LoginChecks;
  start(checks: LoginChecks, login: Login): Promise<void>;
  /** Reads without taking, so that an answer that is refused early does not use up the login. */
  find(state: string): Promise<LoginState | undefined>;
  /** Of concurrent calls exactly one gets the login. */
  take(state: string): Promise<LoginState | undefined>;
  saveOutcome(uid: string, outcome: LoginOutcome): Promise<void>;
  takeOutcome(uid: string): Promise<LoginOutcome | undefined>;
}

/** Returns random bytes. */
export type Random = (bytes: number) => Uint8Array;

const STATE = 'LoginState';
const OUTCOME = 'LoginOutcome';

// `state` is a bearer secret: somebody who can read the store must not be able to impersonate the upstream.
const keyOf = (state: string): string => createHash('sha256').update(state).digest('base64url');

/** @param random the source of state, nonce and PKCE verifier; 32 bytes make the verifier 43 characters (RFC 7636 §4.1) */
export function createLogins(store: RecordStore, random: Random): Logins {
  const secret = () => Buffer.from(random(32)).toString('base64url');
  const value = <T>(record: { readonly value: unknown } | undefined) => record?.value as T | undefined;
  return {
    createChecks: () => ({ state: secret(), nonce: secret(), codeVerifier: secret() }),
    start: ({ state, nonce, codeVerifier }, login) =>
      store.put(STATE, keyOf(state), { ...login, nonce, codeVerifier }, { ttl: LOGIN_LIFETIME }),
    find: async (state) => value<LoginState>(await store.get(STATE, keyOf(state))),
    take: async (state) => value<LoginState>(await store.take(STATE, keyOf(state))),
    saveOutcome: (uid, outcome) => store.put(OUTCOME, uid, { ...outcome }, { ttl: LOGIN_LIFETIME }),
    takeOutcome: async (uid) => value<LoginOutcome>(await store.take(OUTCOME, uid)),
  };
}
