/**
 * Ensures that a scope which a person leaves out is no longer in the grant, even if they approved it before (RFC 6749 §3.3). The
 * engine can only add to a grant, or reject for good, so the members of oidc-provider 9.13.3 are written directly.
 */
import type Provider from 'oidc-provider';
import { namesOf } from '../../resources/scope.ts';

type Grant = InstanceType<Provider['Grant']>;

/** Tokens of this grant lose the scopes at their next refresh. */
export function leaveOut(grant: Grant, identifiers: Iterable<string>, scopes: readonly string[] = []): void {
  const granted = grant.resources ?? {};
  for (const identifier of identifiers) {
    const names = namesOf(granted[identifier]);
    if (names.length > 0) granted[identifier] = names.filter((name) => !scopes.includes(name)).join(' ');
  }
}
