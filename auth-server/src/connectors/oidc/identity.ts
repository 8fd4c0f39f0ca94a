/**
 * Owns what is stored about a person from an id token and userinfo (OpenID Connect Core 1.0 §5.1). Everything but issuer and
 * subject is for display: an invalid member is dropped and does not prevent the sign-in.
 */
import type { Identity } from '../../federation/connector.ts';
import { label } from '../../federation/subject.ts';

/** The claims of an id token and userinfo about a person. */
export interface Claims {
  readonly name?: unknown;
  readonly preferred_username?: unknown;
  readonly email?: unknown;
  readonly email_verified?: unknown;
}

/** Whether userinfo is not needed. */
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

/** Address and flag must come from one source, because it only verifies its own address. Cognito and Apple send the flag as text. */
const verifiedEmail = ({ email, email_verified: verified }: Claims): string | undefined =>
  verified === true || verified === 'true' ? label(email) : undefined;

const LONGEST_USER = 2_048;

/**
 * Apple sends the name once, beside the code and not in the id token: `user={"name":{"firstName":"…","lastName":"…"}}`. It
 * comes through the browser, so it is used as a display name only.
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
