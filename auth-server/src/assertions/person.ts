/**
 * Owns what is known of a person who has never signed in here, from an ID-JAG alone. That is less than a sign-in says: whatever the
 * ID-JAG does not mention is not known, so that a rule that denies it refuses the person. Pure.
 */
import { valueAt } from '@mcp-oauth/shared/claim-path';
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { Identity } from '../federation/connector.ts';

/**
 * @param identity as the connector reads it, with what rules need of it
 * @param paths of claims that rules need
 */
export function knownFrom(identity: Identity, claims: JsonObject, paths: readonly string[]): Identity {
  const { memberships = {}, verifiedEmails = [], email, domains } = identity;
  // Many identity providers send an address without a word about its verification; the id token of a sign-in has one.
  const hasAddress = email !== undefined || verifiedEmails.length > 0;
  const hasDomain = domains ? domains.length > 0 : hasAddress;
  const said = new Set<string>([
    // Some connectors report an empty list for a claim that is not there.
    ...Object.entries(memberships).flatMap(([type, values]) => (values?.length ? [type] : [])),
    ...(hasAddress ? ['email'] : []),
    ...(hasDomain ? ['domain'] : []),
    ...paths.filter((path) => valueAt(claims, path) !== undefined).map((path) => `claim:${path}`),
  ]);
  return { ...identity, known: identity.known?.filter((type) => said.has(type)) ?? [] };
}
