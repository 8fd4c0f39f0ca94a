/**
 * Owns what stands before dynamic client registration (RFC 7591 §3, RFC 7592): whether there is any, who may, and how often.
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Context, Middleware } from 'koa';
import type { InitialAccessTokens } from '../../registration/initial-access-tokens.ts';
import type { RegistrationMode } from '../../registration/settings.ts';
import type { RateLimit } from '../../storage/rate-limit.ts';

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
const REGISTER = /^\/register\/?$/i;
const REGISTERED = /^\/register\/[^/]+\/?$/i;
const EITHER = /^\/register(\/[^/]+)?\/?$/i;
const EVERYWHERE = 'everywhere';

/** In this order: what an address is refused counts for no other, and only who may register counts for all. */
export function registrationGuards(parts: RegistrationParts): readonly Middleware[] {
  const { mode, management } = parts;
  return [
    ...(management ? [] : [only(REGISTERED, closed)]),
    ...(mode === 'off' ? [only(REGISTER, closed)] : []),
    only(EITHER, limitByAddress(parts)),
    ...(mode === 'token' ? [only(REGISTER, needsInitialAccess(parts))] : []),
    only(REGISTER, limitForAll(parts)),
  ];
}

const only =
  (path: RegExp, guard: Middleware): Middleware =>
  (ctx, next) =>
    path.test(ctx.path) ? guard(ctx, next) : next();

/** As the metadata says; told to who comes all the same, since the answer is what people see. */
const closed: Middleware = () => {
  throw new HttpError(404, 'not_found', 'This server does not offer that. Ask its operator how your client gets in.', {
    reason: 'registration or its management is off',
  });
};

/** Changes count as well: each is a write. */
function limitByAddress({ limit }: RegistrationParts): Middleware {
  return async (ctx, next) => {
    if (ctx.method === 'POST' || ctx.method === 'PUT') {
      refuseWhile(await limit.take(ctx.state.clientAddress), 'Too many registrations from your address.');
    }
    await next();
  };
}

function limitForAll({ globalLimit }: RegistrationParts): Middleware {
  return async (ctx, next) => {
    if (ctx.method === 'POST') {
      refuseWhile(await globalLimit.take(EVERYWHERE), 'This server takes no more registrations at the moment.');
    }
    await next();
  };
}

function refuseWhile(wait: number, problem: string): void {
  if (wait === 0) return;
  throw new HttpError(429, 'too_many_requests', `${problem} Try again later.`, {
    reason: problem,
    headers: { 'Retry-After': String(wait) },
  });
}

/** RFC 7591 §3, RFC 6750 §3. A use of the token is not taken before there is a client: see provider/registration. */
function needsInitialAccess({ initialAccessTokens }: RegistrationParts): Middleware {
  return async (ctx, next) => {
    if (ctx.method === 'POST') {
      const given = bearer(ctx);
      const found = given === undefined ? undefined : await initialAccessTokens.find(given);
      if (!found) throw refused(given !== undefined);
      ctx.state.initialAccess = found.id;
    }
    await next();
  };
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
