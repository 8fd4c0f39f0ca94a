/**
 * Owns what is remembered of a person from an id token and userinfo (OpenID Connect Core 1.0 §5.1). Everything but issuer and
 * subject is for show: an odd member is left out, and stops nobody.
 */
import type { Identity } from '../../federation/connector.ts';
import { label } from '../../federation/subject.ts';

/** What an id token and userinfo may say of a person. */
export interface Claims {
  readonly name?: unknown;
  readonly preferred_username?: unknown;
  readonly email?: unknown;
  readonly email_verified?: unknown;
}

/** Whether userinfo has nothing to add. */
export const isComplete = (claims: Claims): boolean =>
  (verifiedEmail(claims) && (label(claims.name) ?? label(claims.preferred_username))) !== undefined;

/** @param sources the most trusted first */
export function toIdentity(
  { iss, sub }: { readonly iss: string; readonly sub: string },
  sources: readonly Claims[],
): Identity {
  const first = (read: (claims: Claims) => string | undefined) =>
    sources.map(read).find((value) => value !== undefined);
  return {
    issuer: iss,
    subject: sub,
    name: first(({ name }) => label(name)),
    username: first((claims) => label(claims.preferred_username)),
    email: first(verifiedEmail),
  };
}

/** Address and flag must be of one source: it vouches for no address of another. Cognito and Apple write the flag as text. */
const verifiedEmail = ({ email, email_verified: verified }: Claims): string | undefined =>
  verified === true || verified === 'true' ? label(email) : undefined;

const LONGEST_USER = 2_048;

/**
 * Apple tells the name once, beside the code and not in the id token: `user={"name":{"firstName":"…","lastName":"…"}}`. It
 * comes through the browser, so it is taken for a name and for nothing else.
 */
export function userInAnswer({ searchParams }: URL): Claims {
  const text = searchParams.get('user') ?? '';
  if (text.length > LONGEST_USER) return {};
  try {
    const { name } = JSON.parse(text) as { readonly name?: Readonly<Record<string, unknown>> };
    const parts = [label(name?.firstName), label(name?.lastName)].filter((part) => part !== undefined);
    return parts.length > 0 ? { name: parts.join(' ') } : {};
  } catch {
    return {};
  }
}
