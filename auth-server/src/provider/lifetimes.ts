/** Owns how long what the engine issues is good: by the kind of client, the resource, and the approval that it hangs on. */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider';

/** Seconds. `confidential` and `machine` fall back to what holds for all. */
export interface Lifetimes {
  readonly accessToken: { readonly all: number } & ByClass;
  readonly refreshToken: { readonly all: number } & Omit<ByClass, 'machine'>;
  /** In which a spent refresh token still leads to its successor. */
  readonly refreshGrace: number;
  readonly grant: number;
  readonly session: number;
  readonly client: number;
}

/** RFC 6749 §2.1 client types; a machine client acts for itself (§4.4). */
interface ByClass {
  readonly confidential?: number | undefined;
  readonly machine?: number | undefined;
}

/** Of a client that nobody has approved: time enough to be shown to a person, and for them to come back to it. */
export const UNAPPROVED = 86_400;

const CODE = 60;
const ID_TOKEN = 300;
const INTERACTION = 900;
const PUSHED_REQUEST = 60;

export const ttlOf = (lifetimes: Lifetimes, clock: Clock): NonNullable<Configuration['ttl']> => ({
  AccessToken: (_ctx, token, client) =>
    accessTokenLifetime(lifetimes, ofClass(client), token.resourceServer?.accessTokenTTL),
  ClientCredentials: (_ctx, token) => accessTokenLifetime(lifetimes, 'machine', token.resourceServer?.accessTokenTTL),
  AuthorizationCode: CODE,
  IdToken: Math.min(ID_TOKEN, lifetimes.accessToken.all),
  Interaction: INTERACTION,
  PushedAuthorizationRequest: PUSHED_REQUEST,
  RefreshToken: (ctx, _token, client) => refreshTokenLifetime(ctx, unusedLifetime(lifetimes, client), seconds(clock)),
  Grant: lifetimes.grant,
  Session: lifetimes.session,
});

type Class = 'public' | 'confidential' | 'machine';

const ofClass = ({ clientAuthMethod }: Client): Class => (clientAuthMethod === 'none' ? 'public' : 'confidential');

/** What the resource says holds for all clients, and a class may only shorten it. */
function accessTokenLifetime({ accessToken }: Lifetimes, of: Class, resource: number | undefined): number {
  const own = of === 'public' ? undefined : accessToken[of];
  return Math.min(resource ?? own ?? accessToken.all, own ?? Number.POSITIVE_INFINITY);
}

const unusedLifetime = ({ refreshToken }: Lifetimes, client: Client): number =>
  (ofClass(client) === 'confidential' ? refreshToken.confidential : undefined) ?? refreshToken.all;

/** A refresh token that nobody uses: never good for longer than the grant that it hangs on. */
const refreshTokenLifetime = (ctx: KoaContextWithOIDC, unused: number, now: number): number =>
  Math.max(1, Math.min(unused, (ctx.oidc.entities.Grant?.exp ?? Number.POSITIVE_INFINITY) - now));
