/**
 * Owns what stands before dynamic client registration (RFC 7591 §3, RFC 7592): whether there is any, who may, and how often.
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Context, Middleware } from 'koa';
import { stateOf } from '../../context-state.ts';
import type { InitialAccessToken, InitialAccessTokens } from '../../registration/initial-access-tokens.ts';
import type { RegistrationMode } from '../../registration/settings.ts';
import type { RateLimit } from '../../storage/rate-limit.ts';
import { costOf } from '../request-size.ts';

export interface RegistrationParts {
  readonly mode: RegistrationMode;
  /** Whether a client may change its registration. */
  readonly management: boolean;
  /** Registrations and changes from one address. */
  readonly limit: RateLimit;
  /** Registrations from everywhere. */
  readonly globalLimit: RateLimit;
  readonly initialAccessTokens: InitialAccessTokens;
}

/** In every spelling that reaches the engine: its router looks at neither case nor a last slash. */
const PLACE = /^\/register(\/[^/]+)?\/?$/i;
const EVERYWHERE = 'everywhere';

export function registrationGuard(parts: RegistrationParts): Middleware {
  return (ctx, next) => {
    const [place, client] = PLACE.exec(ctx.path) ?? [];
    if (place === undefined) return next();
    return (client === undefined ? admitNew(ctx, parts) : admitKnown(ctx, parts)).then(next);
  };
}

/** In this order: what an address is refused counts for no other, and only who may register counts for all. */
async function admitNew(ctx: Context, parts: RegistrationParts): Promise<void> {
  if (parts.mode === 'off') throw closed();
  if (ctx.method !== 'POST') return;
  await limitAddress(ctx, parts);
  if (parts.mode === 'token') stateOf(ctx).initialAccess = (await initialAccess(ctx, parts)).id;
  refuseWhile(
    await parts.globalLimit.take(EVERYWHERE, costOf(ctx.request)),
    'This server takes no more registrations at the moment.',
  );
}

/** The engine asks for the token of the registration. A change is a write, as a registration is. */
async function admitKnown(ctx: Context, parts: RegistrationParts): Promise<void> {
  if (!parts.management) throw closed();
  if (ctx.method === 'PUT') await limitAddress(ctx, parts);
}

/** As the metadata says; told to who comes all the same, since the answer is what people see. */
const closed = (): HttpError =>
  new HttpError(404, 'not_found', 'This server does not offer that. Ask its operator how your client gets in.', {
    reason: 'registration or its management is off',
  });

async function limitAddress(ctx: Context, { limit }: RegistrationParts): Promise<void> {
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

/** RFC 7591 §3, RFC 6750 §3. A use of the token is not taken before there is a client: see provider/records/client-adapter.ts. */
async function initialAccess(ctx: Context, { initialAccessTokens }: RegistrationParts): Promise<InitialAccessToken> {
  const given = bearer(ctx);
  const found = given === undefined ? undefined : await initialAccessTokens.find(given);
  if (found) return found;
  throw refused(given !== undefined);
}

const bearer = (ctx: Context): string | undefined => /^Bearer +(\S+)$/i.exec(ctx.get('Authorization'))?.[1];

function refused(given: boolean): HttpError {
  // RFC 6750 §3.1: who brings nothing is told no error but the way.
  const challenge = given ? 'Bearer error="invalid_token"' : 'Bearer';
  const problem = given
    ? 'The initial access token is unknown, expired or used up.'
    : 'To register here a client needs an initial access token.';
  return new HttpError(401, 'invalid_token', `${problem} Ask the operator of this server for one.`, {
    reason: given ? 'initial access token no good' : 'no initial access token',
    headers: { 'WWW-Authenticate': challenge },
  });
}
