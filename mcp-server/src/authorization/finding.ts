/**
 * Owns what the log tells of a refusal beside its reason: which member decided, what was expected there and what was found, and
 * the setting behind it. Never a secret: no token, proof or key is shown, and nothing at length.
 */

export interface Finding {
  /** Of a token or a proof. */
  readonly claim?: string;
  /** Parameter of the header of a token or a proof (RFC 7515 §4). */
  readonly header?: string;
  readonly expected?: unknown;
  readonly found?: unknown;
  /** What an operator can change where the refusal is not wanted. */
  readonly setting?: string;
  readonly subject?: unknown;
  readonly client?: unknown;
  /** `false` where subject and client are what a token says that nobody has vouched for. */
  readonly verified?: false;
}

const LONGEST = 200;
const MOST = 10;

/** A value of any type, as what fits into a line. */
export function shown(value: unknown): unknown {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
  if (Array.isArray(value)) return value.slice(0, MOST).map((item) => (Array.isArray(item) ? 'a list' : shown(item)));
  if (typeof value !== 'object' || value === null) return value;
  return `an object of ${Object.keys(value).slice(0, MOST).join(', ').slice(0, LONGEST) || 'nothing'}`;
}

/** A time of a token as people read it. */
export function shownTime(seconds: unknown): unknown {
  const date = new Date(typeof seconds === 'number' ? seconds * 1000 : Number.NaN);
  return Number.isNaN(date.getTime()) ? shown(seconds) : date.toISOString();
}

interface Named {
  readonly sub?: unknown;
  readonly client_id?: unknown;
  readonly azp?: unknown;
}

export const whoIn = ({ sub, client_id, azp }: Named): Pick<Finding, 'subject' | 'client'> => ({
  subject: shown(sub),
  client: shown(client_id ?? azp),
});
