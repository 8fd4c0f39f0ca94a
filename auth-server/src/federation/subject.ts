/**
 * Owns the local subject: who a person is here, derived from who they are upstream (OpenID Connect Core 1.0 §5.7), and what an
 * identity must be to stand for one person and for nobody else.
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
/** A character that can be seen; blanks, control and invisible characters name nobody. */
const VISIBLE = /[^\s\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u;

/**
 * @returns the identity, if it names one person: a subject that is empty, or that stands for a text that could not be read,
 *   would be shared by everybody whose upstream says the same
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

/** The same for one that was remembered before this was asked: what it stands for may be many people. */
export function namesOnePerson(identity: Identity): boolean {
  return !faultOf(identity?.issuer, LONGEST_ISSUER) && !faultOf(identity?.subject, LONGEST_SUBJECT);
}

function faultOf(value: unknown, longest: number): string | undefined {
  if (typeof value !== 'string') return 'is not text';
  if (value === '') return 'is empty';
  if (value.length > longest) return 'is too long';
  if (!VISIBLE.test(value)) return 'has no character that can be seen';
  // U+FFFD stands where a text could not be decoded: many texts end there.
  return value.isWellFormed() && !value.includes('\ufffd') ? undefined : 'is not well-formed Unicode';
}

const LONGEST_LABEL = 200;

/** What ends a line or changes the direction of the text around it; joiners stay, as names need them. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu;

/** Text that people read, in one line and of bearable length; absent where there is none. It identifies nobody. */
export function label(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const clean = value
    .slice(0, 10 * LONGEST_LABEL)
    .toWellFormed()
    .replace(CONTROLS, ' ')
    .trim();
  return VISIBLE.test(clean) ? [...clean].slice(0, LONGEST_LABEL).join('') : undefined;
}
