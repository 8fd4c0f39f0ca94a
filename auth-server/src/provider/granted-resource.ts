/**
 * Owns whether a code or refresh token can still be exchanged for an access token (RFC 6749 §5.2, RFC 8707 §2.2). The check runs
 * before anything is consumed or issued. An error that another request can fix is `invalid_target` or `invalid_scope`. An error that
 * only a new sign-in can fix is `invalid_grant`, because clients repeat the request after any other error.
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { grantedSpelling, type Resource, type Resources } from '../resources/resource.ts';
import { namesOf } from '../resources/scope.ts';
import type { GrantHandler } from './overrides/token/grant-handlers.ts';
import { indicators, issuableScopes, own } from './resource-indicators.ts';

/** The members of a code or refresh token that say what was granted. */
export interface GrantSource {
  readonly resource?: unknown;
  readonly scope?: string | undefined;
}

/** Replaces the resource in the parameters of the request by its granted spelling. */
export async function checkGranted(ctx: KoaContextWithOIDC, source: GrantSource, resources: Resources): Promise<void> {
  const granted = indicators(source.resource);
  if (granted.length === 0) return;
  const identifier = meantBy(ctx, granted, resources);
  const resource = resources.find(identifier);
  if (!resource) throw new errors.InvalidGrant(`the resource ${identifier} is no longer known`);
  if (granted.length > 1 || indicators(ctx.oidc.params?.resource).length > 0) {
    Object.assign(ctx.oidc.params ?? {}, { resource: identifier });
  }
  await checkScopes(ctx, source, identifier, resource);
}

interface Records {
  readonly RefreshToken: { find(value: string): Promise<(GrantSource & { readonly grantId?: string }) | undefined> };
  readonly Grant: { find(id: string): Promise<object | undefined> };
}

/**
 * The engine compares the scope of a refresh before it looks up the account, and so before `checkGranted`. If nothing of the grant
 * is left, another scope would not help, so the client gets `invalid_grant`.
 */
export const tellLostGrants =
  (resources: Resources) =>
  (refresh: GrantHandler): GrantHandler =>
  async (ctx) => {
    try {
      await refresh(ctx);
    } catch (error) {
      if (error instanceof errors.InvalidScope) await checkWhole(ctx, resources);
      throw error;
    }
  };

/** @throws InvalidGrant if a refresh without `scope` and `resource` would fail with it */
async function checkWhole(ctx: KoaContextWithOIDC, resources: Resources): Promise<void> {
  const { provider, params = {} } = ctx.oidc;
  const { RefreshToken, Grant } = provider as unknown as Records;
  const token = await RefreshToken.find(text(params.refresh_token) ?? '');
  const grant = token?.grantId === undefined ? undefined : await Grant.find(token.grantId);
  if (!token || !grant) return;
  ctx.oidc.entity('Grant', grant as never);
  Object.assign(params, { scope: undefined, resource: undefined });
  await checkGranted(ctx, token, resources);
}

/**
 * The granted resource that the resource at /token identifies, whatever the spelling. Another resource is refused, with the expected
 * one in the message. A granted spelling that is no longer configured means the same as the other spellings of the grant.
 */
function meantBy(ctx: KoaContextWithOIDC, granted: readonly string[], resources: Resources): string {
  const [known] = granted.filter((identifier) => resources.find(identifier));
  // None of the granted resources exists any more, whatever the client requests.
  if (known === undefined) return granted[0] ?? '';
  const meant = new Set(
    indicators(ctx.oidc.params?.resource).map((asked) =>
      granted.includes(asked) && !resources.find(asked) ? known : grantedSpelling(asked, granted, resources),
    ),
  );
  const [only = known, ...others] = meant;
  if (others.length > 0 || !granted.includes(only)) {
    throw new errors.InvalidTarget(`resource must be ${granted.join(' or ')}`);
  }
  return only;
}

/**
 * A scope of the token may be gone: the person has left it out since, a rule no longer permits it, the resource has removed it, or
 * the operator has limited the client.
 */
async function checkScopes(ctx: KoaContextWithOIDC, source: GrantSource, identifier: string, resource: Resource) {
  await resource.ready();
  const granted = new Set(namesOf(ctx.oidc.entities.Grant?.getResourceScope(identifier)));
  const ofToken = namesOf(source.scope).filter((name) => granted.has(name));
  const left = () => {
    const issuable = new Set(issuableScopes(ctx, identifier, resource));
    return ofToken.filter((name) => issuable.has(name));
  };
  // The resource may have added the scope since its metadata was read.
  if (left().length === 0) await resource.renew();
  const names = left();
  if (names.length === 0) {
    const before = namesOf(source.scope).filter((name) => !own.has(name));
    throw new errors.InvalidGrant(`none of the granted scopes (${before.join(' ')}) can be issued any more`);
  }
  const { params = {} } = ctx.oidc;
  const given = namesOf(text(params.scope));
  if (given.length === 0) return;
  const asked = given.filter((name) => !own.has(name));
  if (asked.length === 0) {
    // RFC 6749 §3.3: as at /authorize, where such a request gets the default scope. A token without any scope is of no use.
    const usual = namesOf(resource.defaultScope).filter((name) => names.includes(name));
    Object.assign(params, { scope: [...given, ...(usual.length > 0 ? usual : names)].join(' ') });
  } else if (!asked.some((name) => names.includes(name))) {
    throw new errors.InvalidScope(`of the granted scopes only ${names.join(' ')} can still be issued`, asked.join(' '));
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
