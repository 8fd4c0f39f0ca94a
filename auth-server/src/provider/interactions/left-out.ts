/**
 * Ensures that a scope which a person leaves out is no longer in the grant, even if they approved it before (RFC 6749 §3.3). The
 * engine can only add to a grant, or reject for good, so the members of oidc-provider 9.13.3 are written directly.
 */
import type Provider from 'oidc-provider';
import { namesOf } from '../../resources/scope.ts';

type Grant = InstanceType<Provider['Grant']>;

/**
 * Tokens of this grant lose the scopes at their next refresh.
 * @param isMeant whether an identifier is one of the resource; a grant may have spellings of earlier requests
 */
export function leaveOut(grant: Grant, isMeant: (identifier: string) => boolean, scopes: readonly string[] = []): void {
  if (scopes.length === 0 || !grant.resources) return;
  const granted = grant.resources;
  for (const identifier of Object.keys(granted).filter(isMeant)) {
    granted[identifier] = namesOf(granted[identifier])
      .filter((name) => !scopes.includes(name))
      .join(' ');
  }
}
