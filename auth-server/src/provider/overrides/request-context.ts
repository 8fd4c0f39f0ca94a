/**
 * Owns what is looked at and completed in the context of a request, as the engine of oidc-provider 9.13.3 fills it and before it
 * goes on: sizes, and two harmless variants of client authentication that it does not read: a registration without a method
 * (RFC 7591 §2), and a Basic header with an empty secret (RFC 6749 §2.3.1).
 */
import type { Middleware } from 'koa';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { stateOf } from '../../context-state.ts';
import { clientWithoutSecret, usualAuthMethod } from '../clients/authentication.ts';
import { checkParameters, REGISTRATION } from '../parameter-size.ts';

type Values = Record<string, unknown>;

/** Where clients authenticate, in every spelling that reaches the engine. */
const CLIENTS = /^\/(token|par|revoke)\/?$/i;

/** Belongs before the engine, which would refuse the header. */
export function readEmptySecret(issuer: string): Middleware {
  return async (ctx, next) => {
    const id = CLIENTS.test(ctx.path) ? clientWithoutSecret(ctx.get('Authorization')) : undefined;
    if (id === undefined) return next();
    stateOf(ctx).clientWithoutSecret = id;
    delete ctx.req.headers.authorization;
    await next();
    // RFC 6749 §5.2: who came with this header is told the scheme.
    if (ctx.status === 401) ctx.set('WWW-Authenticate', `Basic realm="${issuer}", error="invalid_client"`);
  };
}

/** What a request context of the engine has here. */
interface Context {
  readonly route: string;
  readonly ctx: { readonly state: object };
  readonly entities: { readonly Client?: { readonly clientAuthMethod: string } };
}

export function completeRequests(provider: Provider): void {
  class RequestContext extends provider.OIDCContext {}
  whenSet(RequestContext.prototype, 'params', (context, params) => {
    checkParameters(context.route, params);
    nameClient(params, stateOf(context.ctx).clientWithoutSecret);
  });
  whenSet(RequestContext.prototype, 'body', (context, body) => {
    if (context.route !== 'registration' && context.route !== 'client_update') return;
    keepReadable(body);
    // RFC 7592 §2.2: what a client leaves out is the server's to choose, and it goes on authenticating as it does.
    body.token_endpoint_auth_method ||= context.entities.Client?.clientAuthMethod ?? usualAuthMethod(body);
  });
  Object.defineProperty(provider, 'OIDCContext', { value: RequestContext });
}

/** Stands for what is nested so deeply that nobody can read it: refused as too large, whatever member it is. */
const TOO_DEEP = 'x'.repeat(REGISTRATION);

/**
 * The engine reads some members as text before it looks at what they are, which throws for `{"toString": 1}`. An empty object is
 * judged in its place: refused where the member counts, left out where it does not.
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

function nameClient(params: Values, id: string | undefined): void {
  if (id === undefined) return;
  params.client_id ??= id;
  if (params.client_id !== id) throw new errors.InvalidRequest('client_id mismatch');
}

/** Has each object that the engine sets as this member looked at first. */
function whenSet(prototype: object, name: string, look: (context: Context, values: Values) => void): void {
  const member = Symbol(name);
  Object.defineProperty(prototype, name, {
    get(this: Record<symbol, unknown>) {
      return this[member];
    },
    set(this: Record<symbol, unknown>, value: unknown) {
      this[member] = value;
      if (isValues(value)) look(this as unknown as Context, value);
    },
  });
}

const isValues = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
