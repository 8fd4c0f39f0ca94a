/**
 * Owns the size limits of request parameters. An authorization request is stored for 15 minutes before anybody is authenticated, a
 * registration for a day, so unknown callers must not store any amount (RFC 9700 §4.16, RFC 7591 §5).
 */
import { errors } from 'oidc-provider';

const KIB = 1_024;
/** The longest parameter of a client in test/clients has a few hundred bytes. */
const PARAMETER = 4 * KIB;
/** All parameters of one authorization request together. */
const STORED = 8 * KIB;
/** Our own credentials are much smaller; assertions sometimes have certificates in their header. */
const CREDENTIAL = 16 * KIB;
/** The largest registration of the clients in test/clients has 467 bytes. */
export const REGISTRATION = 16 * KIB;

/** A token of ours with all claims about a person that the default of MAX_TOKEN_CLAIMS_SIZE lets in. */
const SUBJECT_TOKEN = 32 * KIB;

const CREDENTIALS: ReadonlySet<string> = new Set([
  'assertion', 'client_assertion', 'client_secret', 'code', 'code_verifier', 'device_code', 'refresh_token', 'token',
]); // biome-ignore format: one list
const STORED_BY: ReadonlySet<string> = new Set([
  'authorization',
  'pushed_authorization_request',
  'device_authorization',
]);

/** In bytes; a repeated parameter counts with all its values. */
const sizeOf = (value: unknown): number =>
  Array.isArray(value) ? value.reduce((sum, one) => sum + sizeOf(one), 0) : Buffer.byteLength(String(value));

/** @throws InvalidRequest of oidc-provider */
export function checkParameters(route: string, params: Readonly<Record<string, unknown>>): void {
  let stored = 0;
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    const size = sizeOf(value);
    const most = name === 'subject_token' ? SUBJECT_TOKEN : CREDENTIALS.has(name) ? CREDENTIAL : PARAMETER;
    if (size > most) throw new errors.InvalidRequest(`${name} is longer than ${most} bytes`);
    if (most === PARAMETER) stored += size;
  }
  if (STORED_BY.has(route) && stored > STORED) {
    throw new errors.InvalidRequest(`all parameters together are longer than ${STORED} bytes`);
  }
}

/** @throws InvalidClientMetadata of oidc-provider */
export function checkRegistration(metadata: object): void {
  if (jsonSize(metadata) <= REGISTRATION) return;
  throw new errors.InvalidClientMetadata(`the metadata is larger than ${REGISTRATION} bytes`);
}

function jsonSize(value: object): number {
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch {
    // Nested too deeply to be serialized.
    return Number.POSITIVE_INFINITY;
  }
}
