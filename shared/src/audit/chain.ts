/**
 * Owns the chain of one process: each entry has the number after the one before, its MAC and the MAC of its own. Whoever has no key
 * can alter, add, remove or reorder nothing unnoticed. The last MAC is the head: it commits to all entries before it.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { equalInConstantTime } from '../crypto/constant-time.ts';
import { hmacWith } from '../crypto/hmac.ts';

/** Half of SHA-256: nobody forges 128 bits, and each line has two of them. */
const LENGTH = 22;

export interface Head {
  readonly writer: string;
  /** Number of the last entry; 0: there is none yet. */
  readonly n: number;
  readonly mac: string;
}

/** A key as the chain needs it. */
export const chainKey = (bytes: Buffer): KeyObject => createSecretKey(bytes);

export type ChainMac = (text: string) => string;

/** For a writer, which makes many. */
export function chainMac(key: KeyObject): ChainMac {
  const hmac = hmacWith(key);
  return (text) => hmac(text).slice(0, LENGTH);
}

/** For a reader. It does not use the function of the writer, so that a fault of that one is noticed. */
const macOf = (key: KeyObject, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url').slice(0, LENGTH);

/** @param text an entry without the closing brace */
export function chained(text: string, { writer, n, mac }: Head, sign: ChainMac): { line: string; head: Head } {
  const whole = `${text},"writer":"${writer}","n":${n + 1},"prev":"${mac}"`;
  const own = sign(whole);
  return { line: `${whole},"mac":"${own}"}\n`, head: { writer, n: n + 1, mac: own } };
}

export interface Link extends Head {
  readonly prev: string;
  /** Whether one of the keys made the MAC. */
  readonly isGenuine: boolean;
}

/** The last members of a line. Values of others are quoted, so that their text never looks like this. */
const LINK = /,"writer":"([\w-]{1,40})","n":(\d{1,15}),"prev":"([\w-]{0,43})","mac":"([\w-]{22})"\}$/;

/** The link of a line; `undefined` for a line that is no entry. */
export function linkOf(line: string, keys: readonly KeyObject[]): Link | undefined {
  const [found, writer = '', n = '', prev = '', mac = ''] = LINK.exec(line) ?? [];
  if (found === undefined || !line.startsWith('{"event":"')) return undefined;
  const whole = line.slice(0, line.length - LENGTH - ',"mac":""}'.length);
  const isGenuine = keys.some((key) => equalInConstantTime(macOf(key, whole), mac));
  return { writer, n: Number(n), prev, mac, isGenuine };
}
