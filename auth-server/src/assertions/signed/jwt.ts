/**
 * Owns how an assertion is read before anything of it is believed (RFC 7515 §5.2): its size, its depth, its header and its claims.
 */
import { isDeeper, isObject, type JsonObject } from '@mcp-oauth/shared/json';
import { AssertionRefused } from '../refused.ts';

export interface UnverifiedJwt {
  readonly compact: string;
  readonly header: JsonObject & { readonly alg: string; readonly typ?: string };
  /** Of the same text that the signature covers. */
  readonly claims: JsonObject;
}

/** Bytes. An assertion of Okta, GitHub or Kubernetes has two or three thousand. */
const LARGEST = 16_384;
/** Levels of lists and objects: those of Kubernetes have three. */
const DEEPEST = 8;
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** @throws AssertionRefused */
export function readUnverified(compact: string): UnverifiedJwt {
  if (compact.length > LARGEST) throw new AssertionRefused('malformed', `it is longer than ${LARGEST} characters`);
  if (!COMPACT.test(compact)) throw new AssertionRefused('malformed', 'it is not a signed JWT');
  const [first = '', second = ''] = compact.split('.');
  const header = objectIn(first, 'header');
  const claims = objectIn(second, 'payload');
  const { alg, typ, crit } = header;
  if (typeof alg !== 'string') throw new AssertionRefused('alg', 'alg is not a text', { claim: 'alg', found: alg });
  if (typ !== undefined && typeof typ !== 'string') {
    throw new AssertionRefused('typ', 'typ is not a text', { claim: 'typ', found: typ });
  }
  // RFC 7515 §4.1.11: no extension is understood here.
  if (crit !== undefined) throw new AssertionRefused('malformed', 'it requires an extension', { claim: 'crit' });
  return { compact, header: { ...header, alg, ...(typ !== undefined && { typ }) }, claims };
}

/** Strict about the encoding: replacement characters could make two subjects equal. */
function objectIn(part: string, name: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url')));
  } catch (cause) {
    throw new AssertionRefused('malformed', `its ${name} is not JSON`, { cause });
  }
  if (!isObject(value)) throw new AssertionRefused('malformed', `its ${name} is not an object`);
  if (isDeeper(value, DEEPEST)) throw new AssertionRefused('malformed', `its ${name} is nested too deeply`);
  return value;
}
