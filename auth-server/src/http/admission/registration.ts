/**
 * Owns the guard of dynamic client registration (RFC 7591 §3, RFC 7592): whether it is open, who may register, and how often.
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Context, Middleware } from 'koa';
import { stateOf } from '../../context-state.ts';
import type { InitialAccessToken, InitialAccessTokens } from '../../registration/initial-access-tokens.ts';
import type { RegistrationMode } from '../../registration/settings.ts';
import type { RateLimit } from '../../storage/rate-limit.ts';
import { costOf } from '../request-size.ts';

export interface RegistrationOptions {
  readonly mode: RegistrationMode;
  /** Whether a client may change its registration. */
  readonly management: boolean;
  /** Registrations and changes from one address. */
  readonly limit: RateLimit;
  /** Registrations from everywhere. */
  readonly globalLimit: RateLimit;
  readonly initialAccessTokens: InitialAccessTokens;
}

/** In every spelling that the engine accepts: its router ignores case and a trailing slash. */
const PLACE = /^\/register(\/[^/]+)?\/?$/i;
const EVERYWHERE = 'everywhere';

export function registrationGuard(options: RegistrationOptions): Middleware {
  return (ctx, next) => {
    const [place, client] = PLACE.exec(ctx.path) ?? [];
    if (place === undefined) return next();
    return (client === undefined ? admitNew(ctx, options) : admitKnown(ctx, options)).then(next);
  };
}

/** In this order, so that a refused address does not use up the global limit, and only permitted registrations count for it. */
async function admitNew(ctx: Context, options: RegistrationOptions): Promise<void> {
  if (options.mode === 'off') throw closed();
  if (ctx.method !== 'POST') return;
  await limitAddress(ctx, options);
  if (options.mode === 'token') stateOf(ctx).initialAccess = (await initialAccess(ctx, options)).id;
  refuseWhile(
    await options.globalLimit.take(EVERYWHERE, costOf(ctx.request)),
    'This server accepts no more registrations at the moment.',
  );
}

/** The engine checks the token of the registration. A change is a write and is limited like a registration. */
async function admitKnown(ctx: Context, options: RegistrationOptions): Promise<void> {
  if (!options.management) throw closed();
  if (ctx.method === 'PUT') await limitAddress(ctx, options);
}

/** The metadata says so as well, but people see this answer. */
const closed = (): HttpError =>
  new HttpError(404, 'not_found', 'This server does not offer this. Ask its operator how to register your client.', {
    reason: 'registration or its management is off',
  });

async function limitAddress(ctx: Context, { limit }: RegistrationOptions): Promise<void> {
  refuseWhile(
    await limit.take(stateOf(ctx).clientAddress, costOf(ctx.request)),
    'Too many registrations from your address.',
  );
}

function refuseWhile(wait: number, problem: string): void {
  if (wait === 0) return;
  throw new HttpError(429, 'too_many_requests', `${problem} Try again later.`, {
    reason: problem,
    headers: { 'Retry-After': String(wait) },
  });
}

/** RFC 7591 §3, RFC 6750 §3. A use of the token is counted only when the client is stored: see provider/records/client-adapter.ts. */
async function initialAccess(ctx: Context, { initialAccessTokens }: RegistrationOptions): Promise<InitialAccessToken> {
  const given = bearer(ctx);
  const found = given === undefined ? undefined : await initialAccessTokens.find(given);
  if (found) return found;
  throw refused(given !== undefined);
}

const bearer = (ctx: Context): string | undefined => /^Bearer +(\S+)$/i.exec(ctx.get('Authorization'))?.[1];

function refused(given: boolean): HttpError {
  // RFC 6750 §3.1: a request without a token gets a challenge without an error code.
  const challenge = given ? 'Bearer error="invalid_token"' : 'Bearer';
  const problem = given
    ? 'The initial access token is unknown, expired or used up.'
    : 'Registration requires an initial access token.';
  return new HttpError(401, 'invalid_token', `${problem} Ask the operator of this server for one.`, {
    reason: given ? 'initial access token not valid' : 'no initial access token',
    headers: { 'WWW-Authenticate': challenge },
  });
}
