/**
 * Owns the details of a refusal for the log: the member that decided, its expected and its actual value, and the
 * related setting. It never contains a secret, such as a token, a proof or a key, nor long values.
 */

export interface Finding {
  /** The claim of a token or a proof. */
  readonly claim?: string;
  /** The header parameter of a token or a proof (RFC 7515 §4). */
  readonly header?: string;
  readonly expected?: unknown;
  readonly found?: unknown;
  /** The setting by which an operator can allow such a request. */
  readonly setting?: string;
  /** What to change at the issuer, and what here. */
  readonly mend?: string | undefined;
  readonly subject?: unknown;
  readonly client?: unknown;
  /** `false` where subject and client come from a token that was not verified. */
  readonly verified?: false;
}

const LONGEST = 200;
const MOST = 10;

/** A short form of a value of any type, for one line of the log. */
export function shown(value: unknown): unknown {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
  if (Array.isArray(value)) return value.slice(0, MOST).map((item) => (Array.isArray(item) ? 'a list' : shown(item)));
  if (typeof value !== 'object' || value === null) return value;
  return `an object of ${Object.keys(value).slice(0, MOST).join(', ').slice(0, LONGEST) || 'nothing'}`;
}

/** A time of a token in readable form. */
export function shownTime(seconds: unknown): unknown {
  const date = new Date(typeof seconds === 'number' ? seconds * 1000 : Number.NaN);
  return Number.isNaN(date.getTime()) ? shown(seconds) : date.toISOString();
}

/** Where issuers name the client of a token, for the log. */
const CLIENT_CLAIMS = ['client_id', 'azp', 'cid', 'appid'];

export const whoIn = (claims: Readonly<Record<string, unknown>>): Pick<Finding, 'subject' | 'client'> => ({
  subject: shown(claims.sub),
  client: shown(CLIENT_CLAIMS.map((name) => claims[name]).find((client) => client !== undefined && client !== null)),
});
