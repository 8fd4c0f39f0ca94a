/**
 * Owns what is checked and completed in the request context while the engine of oidc-provider 9.13.3 fills it: sizes, and harmless
 * variants that the engine does not support: extra blanks in a scope (RFC 6749 §3.3), a registration without a method of client
 * authentication (RFC 7591 §2), a Basic header with an empty secret (RFC 6749 §2.3.1), and an assertion without a client (RFC 7521 §4.1).
 * It extends the class `provider.OIDCContext`.
 */
import { isObject } from '@mcp-oauth/shared/json';
import type { Middleware } from 'koa';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { stateOf } from '../../context-state.ts';
import { namesOf } from '../../resources/scope.ts';
import { clientWithoutSecret, usualAuthMethod } from '../clients/authentication.ts';
import { checkParameters, REGISTRATION } from '../parameter-size.ts';

type Values = Record<string, unknown>;

/** Endpoints where clients authenticate, in every spelling that the engine accepts. */
const CLIENTS = /^\/(token|par|revoke|device_authorization)\/?$/i;

/** Must run before the engine, which would refuse the header. */
export function readEmptySecret(issuer: string): Middleware {
  return async (ctx, next) => {
    const id = CLIENTS.test(ctx.path) ? clientWithoutSecret(ctx.get('Authorization')) : undefined;
    if (id === undefined) return next();
    stateOf(ctx).clientWithoutSecret = id;
    delete ctx.req.headers.authorization;
    await next();
    // RFC 6749 §5.2: a client that used this header gets a challenge with the scheme.
    if (ctx.status === 401) ctx.set('WWW-Authenticate', `Basic realm="${issuer}", error="invalid_client"`);
  };
}

/** The members of the engine's request context that are used here. */
interface Context {
  readonly route: string;
  readonly ctx: { readonly state: object; readonly headers: Readonly<Record<string, unknown>> };
  readonly entities: { readonly Client?: { readonly clientAuthMethod: string } };
}

/** @param clientOf the client of an assertion that comes without one */
export function completeRequests(provider: Provider, clientOf: (params: Values) => string | undefined): void {
  class RequestContext extends provider.OIDCContext {}
  whenSet(RequestContext.prototype, 'params', (context, params) => {
    checkParameters(context.route, params);
    trimScope(params);
    nameClient(params, stateOf(context.ctx).clientWithoutSecret);
    if (isAnonymous(context, params)) params.client_id = clientOf(params);
  });
  whenSet(RequestContext.prototype, 'body', (context, body) => {
    if (context.route !== 'registration' && context.route !== 'client_update') return;
    keepReadable(body);
    // RFC 7592 §2.2: the server chooses omitted members, so the client keeps its current method.
    body.token_endpoint_auth_method ||= context.entities.Client?.clientAuthMethod ?? usualAuthMethod(body);
  });
  Object.defineProperty(provider, 'OIDCContext', { value: RequestContext });
}

/** Replaces a value that is nested too deeply to be read: it is then refused as too large, whatever the member. */
const TOO_DEEP = 'x'.repeat(REGISTRATION);

/**
 * The engine converts some members to strings before it checks their types, which throws for `{"toString": 1}`. An empty object takes
 * their place: it is refused if the member is used, and ignored otherwise.
 */
function keepReadable(body: Values): void {
  for (const [name, value] of Object.entries(body)) {
    try {
      String(value);
    } catch (error) {
      body[name] = error instanceof RangeError ? TOO_DEEP : {};
    }
  }
}

/** Exactly one blank is allowed between two names, and Claude.ai is known to send one in front (anthropics/claude-ai-mcp#453). */
function trimScope(params: Values): void {
  if (typeof params.scope === 'string') params.scope = namesOf(params.scope).join(' ') || undefined;
}

/** Whether a token request names no client in any way. */
const isAnonymous = ({ route, ctx: { headers } }: Context, params: Values): boolean =>
  route === 'token' &&
  headers.authorization === undefined &&
  params.client_id === undefined &&
  params.client_assertion === undefined;

function nameClient(params: Values, id: string | undefined): void {
  if (id === undefined) return;
  params.client_id ??= id;
  if (params.client_id !== id) throw new errors.InvalidRequest('client_id mismatch');
}

/** Calls `look` with each object that the engine assigns to this member. */
function whenSet(prototype: object, name: string, look: (context: Context, values: Values) => void): void {
  const member = Symbol(name);
  Object.defineProperty(prototype, name, {
    get(this: Record<symbol, unknown>) {
      return this[member];
    },
    set(this: Record<symbol, unknown>, value: unknown) {
      this[member] = value;
      if (isObject(value)) look(this as unknown as Context, value);
    },
  });
}
