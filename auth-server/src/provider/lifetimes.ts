/** Owns the lifetimes of everything that the engine issues: by the type of client, the resource, and the approval. */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider';

/** Seconds. `confidential` and `machine` fall back to `all`. */
export interface Lifetimes {
  readonly accessToken: { readonly all: number } & ByClass;
  readonly refreshToken: { readonly all: number } & Omit<ByClass, 'machine'>;
  /** For which a used refresh token still returns its successor. */
  readonly refreshGrace: number;
  readonly grant: number;
  readonly session: number;
  readonly client: number;
}

/** RFC 6749 §2.1 client types; a machine client acts on its own behalf (§4.4). */
interface ByClass {
  readonly confidential?: number | undefined;
  readonly machine?: number | undefined;
}

/** Lifetime of a client that nobody has approved: long enough for a person to see the sign-in page and to return to it later. */
export const UNAPPROVED = 86_400;

const CODE = 60;
const ID_TOKEN = 300;
const INTERACTION = 900;
const PUSHED_REQUEST = 60;
/** Ten minutes: a person has to find a browser and to sign in at an upstream. */
export const DEVICE_CODE = 600;

export const ttlOf = (lifetimes: Lifetimes, clock: Clock): NonNullable<Configuration['ttl']> => ({
  AccessToken: (_ctx, token, client) =>
    accessTokenLifetime(lifetimes, ofClass(client), token.resourceServer?.accessTokenTTL),
  ClientCredentials: (_ctx, token) => accessTokenLifetime(lifetimes, 'machine', token.resourceServer?.accessTokenTTL),
  AuthorizationCode: CODE,
  DeviceCode: DEVICE_CODE,
  IdToken: Math.min(ID_TOKEN, lifetimes.accessToken.all),
  Interaction: INTERACTION,
  PushedAuthorizationRequest: PUSHED_REQUEST,
  RefreshToken: (ctx, _token, client) => refreshTokenLifetime(ctx, unusedLifetime(lifetimes, client), seconds(clock)),
  Grant: lifetimes.grant,
  Session: lifetimes.session,
});

type Class = 'public' | 'confidential' | 'machine';

const ofClass = ({ clientAuthMethod }: Client): Class => (clientAuthMethod === 'none' ? 'public' : 'confidential');

/** The lifetime of the resource applies to all clients; that of a class can only shorten it. */
function accessTokenLifetime({ accessToken }: Lifetimes, of: Class, resource: number | undefined): number {
  const own = of === 'public' ? undefined : accessToken[of];
  return Math.min(resource ?? own ?? accessToken.all, own ?? Number.POSITIVE_INFINITY);
}

const unusedLifetime = ({ refreshToken }: Lifetimes, client: Client): number =>
  (ofClass(client) === 'confidential' ? refreshToken.confidential : undefined) ?? refreshToken.all;

/** The lifetime of an unused refresh token: never longer than that of its grant. */
const refreshTokenLifetime = (ctx: KoaContextWithOIDC, unused: number, now: number): number =>
  Math.max(1, Math.min(unused, (ctx.oidc.entities.Grant?.exp ?? Number.POSITIVE_INFINITY) - now));
