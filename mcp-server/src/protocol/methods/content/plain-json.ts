/**
 * Ensures that JSON can represent a value completely (RFC 8259 §3). `JSON.stringify` silently turns a Map into `{}`
 * and NaN into null, and leaves out functions: the author has to learn of that.
 */
import { types } from 'node:util';
import { AuthorFault, isRecord, kindOf, requireJson } from '../../author-fault.ts';

/** Deeper than any realistic value: a value may contain itself. */
const MAX_DEPTH = 100;

/** A value that JSON would lose or change, and its position. */
interface Loss {
  readonly path: string;
  readonly what: string;
}

/**
 * @param what position of the value, such as `structured`
 * @throws AuthorFault naming the first value that would be lost or changed
 */
export function requirePlain(value: unknown, what: string): void {
  const loss = lossIn(value, MAX_DEPTH);
  if (loss === 'too deep') requireJson(value, what);
  else if (loss) throw new AuthorFault(`${what} can't be written as JSON: ${what}${loss.path} is ${loss.what}`);
}

function lossIn(value: unknown, depth: number): Loss | 'too deep' | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || value === undefined || value === null)
    return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : { path: '', what: String(value) };
  if (typeof value !== 'object') return { path: '', what: kindOf(value) };
  if (depth === 0) return 'too deep';
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const loss = lossIn(item, depth - 1);
      if (loss) return within(loss, `[${index}]`);
    }
    return undefined;
  }
  // Encoded as base64.
  if (Buffer.isBuffer(value)) return undefined;
  const written = asWritten(value);
  if (written !== value) return lossIn(written, depth - 1);
  if (isLost(value)) return { path: '', what: kindOf(value) };
  for (const name of Object.keys(value)) {
    const loss = lossIn((value as Readonly<Record<string, unknown>>)[name], depth - 1);
    if (loss) return within(loss, `.${name}`);
  }
  return undefined;
}

const within = (loss: Loss | 'too deep', place: string): Loss | 'too deep' =>
  loss === 'too deep' ? loss : { ...loss, path: `${place}${loss.path}` };

/**
 * Whether JSON shows nothing of an object's content: it is not in members, or in private ones, or behind getters of
 * a class.
 */
function isLost(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null || types.isBoxedPrimitive(value)) return false;
  return !isRecord(value) || Object.keys(value).length === 0;
}

/** The JSON value of an object. An invalid Date is not a number either. */
export function asWritten(value: object): unknown {
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON !== 'function') return value;
  const isNoDate = types.isDate(value) && Number.isNaN(value.getTime());
  return isNoDate ? Number.NaN : toJSON.call(value, '');
}
