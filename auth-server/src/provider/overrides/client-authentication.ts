/**
 * Owns two harmless variants of client authentication that the engine of oidc-provider 9.13.3 does not read: a registration
 * without a method (RFC 7591 §2), and a Basic header with an empty secret (RFC 6749 §2.3.1). Both are completed in the context
 * of the request, as the engine fills it and before it looks at it.
 */
import type { Middleware } from 'koa';
import type Provider from 'oidc-provider';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { clientWithoutSecret, usualAuthMethod } from '../clients/authentication.ts';

type Values = Record<string, unknown>;

/** Where clients authenticate, in every spelling that reaches the engine. */
const CLIENTS = /^\/(token|par|revoke)\/?$/i;

/** Belongs before the engine, which would refuse the header. */
export function readEmptySecret(issuer: string): Middleware {
  return async (ctx, next) => {
    const id = CLIENTS.test(ctx.path) ? clientWithoutSecret(ctx.get('Authorization')) : undefined;
    if (id === undefined) return next();
    ctx.state.clientWithoutSecret = id;
    delete ctx.req.headers.authorization;
    await next();
    // RFC 6749 §5.2: who came with this header is told the scheme.
    if (ctx.status === 401) ctx.set('WWW-Authenticate', `Basic realm="${issuer}", error="invalid_client"`);
  };
}

export function completeClientAuthentication(provider: Provider): void {
  class Context extends provider.OIDCContext {
    constructor(ctx: KoaContextWithOIDC) {
      super(ctx);
      const id: unknown = ctx.state.clientWithoutSecret;
      if (id !== undefined) whenSet(this, 'params', (params) => nameClient(params, id));
      if (this.route === 'registration') whenSet(this, 'body', (body) => setAuthMethod(body, usualAuthMethod(body)));
      // RFC 7592 §2.2: what a client leaves out is the server's to choose, and it goes on authenticating as it does.
      if (this.route === 'client_update') {
        whenSet(this, 'body', (body) => setAuthMethod(body, this.entities.Client?.clientAuthMethod));
      }
    }
  }
  Object.defineProperty(provider, 'OIDCContext', { value: Context });
}

function nameClient(params: Values, id: unknown): void {
  params.client_id ??= id;
  if (params.client_id !== id) throw new errors.InvalidRequest('client_id mismatch');
}

function setAuthMethod(metadata: Values, method: unknown): void {
  metadata.token_endpoint_auth_method ||= method;
}

/** Has each object that the engine sets as this member completed first. */
function whenSet(context: object, name: string, complete: (values: Values) => void): void {
  let current: unknown;
  Object.defineProperty(context, name, {
    enumerable: true,
    get: () => current,
    set: (value: unknown) => {
      current = value;
      if (isValues(value)) complete(value);
    },
  });
}

const isValues = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
