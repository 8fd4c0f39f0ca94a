/**
 * Owns how a sign-in that failed at an upstream is reported: everything but secrets to the log, and an error of RFC 6749 §4.1.2.1
 * to the client, whose description says who has to act next.
 */
import { UpstreamError as Upstream, type UpstreamError, type UpstreamReason } from './connector.ts';

/** Converts a thrown value into an UpstreamError: any other error is a fault of the connector. */
export function toUpstreamError(thrown: unknown): UpstreamError {
  if (thrown instanceof Upstream) return thrown;
  const { message } = innermost(thrown);
  return new Upstream('invalid_answer', `the connector failed: ${message}`, { cause: thrown });
}

/** The innermost cause, which has the details of libraries. An UpstreamError is complete already. */
export function innermost(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error instanceof Upstream || !(error.cause instanceof Error) ? error : innermost(error.cause);
}

const LONGEST_TEXT = 1_000;
/** Characters that are processed: more than are shown, because redaction shortens the text. */
const MOST_READ = 8_000;
const HIDDEN = '[redacted]';
const MOST_MEMBERS = 10;
/** A shorter secret would match too many ordinary words. */
const SHORTEST_SECRET = 4;

/** The members of the log line. @param secrets values that must not be in it, even if the upstream repeats them */
export function logged({ reason, message, facts }: UpstreamError, secrets: readonly string[]): Record<string, unknown> {
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return sanitized(value, secrets);
    if (Array.isArray(value)) return value.slice(0, MOST_MEMBERS).map(clean);
    if (typeof value === 'object' && value !== null) return sanitized(JSON.stringify(value), secrets);
    return value;
  };
  const said = Object.entries(facts).filter(([, value]) => value !== undefined);
  return {
    outcome: reason,
    reason: sanitized(message, secrets),
    ...Object.fromEntries(said.map(([name, value]) => [name, clean(value)])),
  };
}

/** Credentials in any form: a JWT, an Authorization header, a member of a form or of JSON. */
const CREDENTIALS: readonly (readonly [pattern: RegExp, kept: string])[] = [
  [/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*/g, ''],
  [/\b([Bb]asic|[Bb]earer|DPoP) +(?=\S*[\dA-Z=_.~+/-])[\w.~+/=-]{4,}/g, '$1 '],
  [
    /\b((?:access|refresh|id)_token|client_secret|client_assertion|code_verifier|password)(["']?\s*[=:]\s*["']?)[^\s&"',;}]+/gi,
    '$1$2',
  ],
  [/\b(code|state|token)=[^\s&"',;}]+/gi, '$1='],
];
/** Characters that control a terminal or change the direction of text. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Untrusted text in one line: redacted, escaped and of limited length. */
export function sanitized(text: string, secrets: readonly string[] = []): string {
  const known = secrets.filter(({ length }) => length >= SHORTEST_SECRET);
  const hidden = known
    .flatMap(spellings)
    .reduce((said, secret) => said.replaceAll(secret, HIDDEN), text.slice(0, MOST_READ));
  const open = CREDENTIALS.reduce((said, [pattern, kept]) => said.replace(pattern, kept + HIDDEN), hidden);
  const line = open.replace(UNSAFE, escaped);
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}…` : line;
}

/** The secret as it is, and in the encoding of URLs and forms. */
const spellings = (secret: string): readonly string[] => [
  secret,
  encodeURIComponent(secret.toWellFormed()),
  new URLSearchParams({ '': secret }).toString().slice(1),
];

const escaped = (character: string): string => {
  if (/[\r\n\t]/.test(character)) return ' ';
  return `\\u${character.codePointAt(0)?.toString(16).padStart(4, '0')}`;
};

export interface ClientAnswer {
  readonly error: 'access_denied' | 'temporarily_unavailable' | 'server_error';
  readonly description: string;
}

const ANSWERS: Readonly<Record<UpstreamReason, (upstream: string) => ClientAnswer>> = {
  denied: (upstream) => ({
    error: 'access_denied',
    description: `${upstream} did not sign the user in. If the user did not cancel, ask the operator of this server`,
  }),
  unavailable: (upstream) => ({
    error: 'temporarily_unavailable',
    description: `${upstream} is temporarily unavailable. Try again in a few minutes; if the problem persists, tell the operator of this server`,
  }),
  ended: (upstream) => ({
    error: 'access_denied',
    description: `The session at ${upstream} has ended. Sign in again`,
  }),
  misconfigured: (upstream) => ({
    error: 'server_error',
    description: `${upstream} refused the configuration of this server. Trying again does not help; tell the operator of this server`,
  }),
  invalid_answer: (upstream) => ({
    error: 'server_error',
    description: `The answer of ${upstream} could not be accepted. Connect again; if it fails again, tell the operator of this server`,
  }),
};

/**
 * RFC 6749 §4.1.2.1: the request of the client was valid, so the client gets the error and its reason.
 * @param upstream the name on its button
 * @param reference the request id, which finds the log line
 */
export function answerTo({ reason }: UpstreamError, upstream: string, reference: string): ClientAnswer {
  const { error, description } = ANSWERS[reason](inAscii(upstream) || 'The identity provider');
  return { error, description: `${description} (reference ${reference}).` };
}

/** The characters that an `error_description` may have. */
const inAscii = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '')
    .trim()
    .slice(0, 60);
