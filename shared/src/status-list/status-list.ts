/**
 * Owns the form of a status list (Token Status List §4, draft-ietf-oauth-status-list-21): the bits of each token, compressed, and the
 * names that an issuer and a resource server agree on.
 */
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';

/** The `typ` header of a signed list (§5.1). */
export const STATUS_LIST_TYPE = 'statuslist+jwt';
export const STATUS_LIST_MEDIA_TYPE = `application/${STATUS_LIST_TYPE}`;

/** Seconds for which a list of auth-server is valid, at least, whenever it is read. No copy of a list counts longer than the list. */
export const LEAST_VALIDITY = 2_700;

/** The claim of a token that says where its status stands (§6.2). */
export interface StatusClaim {
  readonly status_list: { readonly idx: number; readonly uri: string };
}

/** How many bits a list may have for each token (§4.1). */
export const STATUS_WIDTHS = [1, 2, 4, 8] as const;

/** The claim of a signed list (§4.2). */
export interface StatusListClaim {
  /** Bits for each token. */
  readonly bits: (typeof STATUS_WIDTHS)[number];
  /** The compressed list in base64url. */
  readonly lst: string;
}

const BASE64URL = /^[\w-]+$/;
const BEST = 9;

const compress = promisify<Uint8Array, { level: number }, Buffer>(deflate);
const decompress = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate);

/** Compresses in the thread pool, because a list of a million entries takes 55 ms. */
export const encode = async (bits: Uint8Array): Promise<string> =>
  (await compress(bits, { level: BEST })).toString('base64url');

/**
 * @param maxBytes of the list after decompression
 * @throws Error for what is not base64url of a complete zlib stream, and for a list that is longer
 */
export async function decode(lst: string, maxBytes: number): Promise<Uint8Array> {
  if (!BASE64URL.test(lst)) throw new Error('the list is not base64url');
  return decompress(Buffer.from(lst, 'base64url'), { maxOutputLength: maxBytes });
}

/** A list of any width as readers use it. */
export interface ReadStatusList {
  /** One bit for each entry: whether its value is another one than 0 (§7: the token is not valid, or not now). */
  readonly bits: Uint8Array;
  readonly entries: number;
}

/**
 * @param maxBytes of the list after decompression
 * @throws Error as `decode`
 */
export async function readStatusList({ bits: width, lst }: StatusListClaim, maxBytes: number): Promise<ReadStatusList> {
  const bytes = await decode(lst, maxBytes);
  return { bits: oneBitEach(bytes, width), entries: (bytes.length * 8) / width };
}

function oneBitEach(bytes: Uint8Array, width: StatusListClaim['bits']): Uint8Array {
  if (width === 1) return bytes;
  const [inByte, mask] = [8 / width, 2 ** width - 1];
  const bits = new Uint8Array(Math.ceil((bytes.length * inByte) / 8));
  for (let idx = 0; idx < bytes.length * inByte; idx += 1) {
    const value = ((bytes[Math.floor(idx / inByte)] ?? 0) >> ((idx % inByte) * width)) & mask;
    if (value !== 0) setBit(bits, idx);
  }
  return bits;
}

/** Whether a token was marked in a list with one bit for each token (§4.1). An index beyond the list counts as marked. */
export const isMarked = (bits: Uint8Array, idx: number): boolean =>
  // Not `idx >> 3`, which would wrap a large index around into the list.
  (((bits[Math.floor(idx / 8)] ?? 0xff) >> (idx & 7)) & 1) === 1;

/** Sets the bit of a token. */
export function setBit(bits: Uint8Array, idx: number): void {
  bits[idx >> 3] = (bits[idx >> 3] ?? 0) | (1 << (idx & 7));
}
