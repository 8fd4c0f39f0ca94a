/**
 * Owns the local subject, which is derived from the identity at the upstream (OpenID Connect Core 1.0 §5.7), and the rules that
 * ensure that an identity names exactly one person.
 */
import { createHash } from 'node:crypto';
import { type Identity, UpstreamError } from './connector.ts';

/**
 * The `sub` of every token, 43 characters of base64url. Only issuer and subject together identify a person (an e-mail
 * address can be given to somebody else), and JSON keeps the pair unambiguous: no two pairs share one text.
 */
export const localSubject = ({ issuer, subject }: Pick<Identity, 'issuer' | 'subject'>): string =>
  createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('base64url');

/** OpenID Connect Core 1.0 §2: a subject has at most 255 characters. */
const LONGEST_SUBJECT = 255;
const LONGEST_ISSUER = 2_048;
/** A visible character; a subject of blanks, control and invisible characters identifies nobody. */
const VISIBLE = /[^\s\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u;

/**
 * @returns the identity, if it names one person: an empty subject, or one that could not be decoded, would be shared by everybody
 *   for whom the upstream sends the same
 * @throws UpstreamError
 */
export function acceptIdentity(identity: Identity): Identity {
  const { issuer, subject } = (identity ?? {}) as Partial<Record<keyof Identity, unknown>>;
  for (const [claim, value, longest] of [
    ['iss', issuer, LONGEST_ISSUER],
    ['sub', subject, LONGEST_SUBJECT],
  ] as const) {
    const fault = faultOf(value, longest);
    if (fault === undefined) continue;
    const found =
      typeof value === 'string' && value.length > longest ? `${value.length} characters` : (value ?? 'nothing');
    const facts = { claim, expected: `a text of 1 to ${longest} characters`, found };
    throw new UpstreamError('invalid_answer', `${claim} of the person ${fault}`, facts);
  }
  return identity;
}

/** The same check for identities that were stored before it existed: they may name several people. */
export function namesOnePerson(identity: Identity): boolean {
  return !faultOf(identity?.issuer, LONGEST_ISSUER) && !faultOf(identity?.subject, LONGEST_SUBJECT);
}

/** Whether a value can be the subject of one person. */
export const isSubject = (value: unknown): value is string => !faultOf(value, LONGEST_SUBJECT);

function faultOf(value: unknown, longest: number): string | undefined {
  if (typeof value !== 'string') return 'is not text';
  if (value === '') return 'is empty';
  if (value.length > longest) return 'is too long';
  if (!VISIBLE.test(value)) return 'has no visible character';
  // U+FFFD replaces text that could not be decoded, so different subjects may look the same.
  return value.isWellFormed() && !value.includes('\ufffd') ? undefined : 'is not well-formed Unicode';
}

const LONGEST_LABEL = 200;

/** Characters that end a line or change the direction of the surrounding text; joiners stay, as names need them. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu;

/** Text for display, in one line of limited length; absent if nothing is visible. It identifies nobody. */
export function label(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const clean = value
    .slice(0, 10 * LONGEST_LABEL)
    .toWellFormed()
    .replace(CONTROLS, ' ')
    .trim();
  return VISIBLE.test(clean) ? [...clean].slice(0, LONGEST_LABEL).join('') : undefined;
}
