/**
 * Owns the token of a form that ends something: it is good once, for some minutes, for one session, one target and what the page showed
 * of it (CWE-352). It carries the digest of the shown facts, so that a page that is out of date is told from a forged form.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { equalInConstantTime } from '@mcp-oauth/shared/crypto/constant-time';
import type { RecordStore } from '../../storage/record-store.ts';

export interface FormTokens {
  /** @param shown digest of what the page shows */
  issue(session: string, target: unknown, shown: string): string;
  /** Uses the token up if it is good for what is shown now. */
  redeem(token: string, session: string, target: unknown, shown: string): Promise<'good' | 'changed' | 'refused'>;
}

interface Dependencies {
  readonly key: string;
  readonly store: RecordStore;
  readonly clock: Clock;
}

/** Seconds: as long as the sign-in that it needs counts. */
const LIFETIME = 300;
const KIND = 'AdminForm';
const TOKEN = /^(\d{1,12})\.([\w-]{22})\.([\w-]{43})\.([\w-]{43})$/;

export function createFormTokens({ key, store, clock }: Dependencies): FormTokens {
  const macOf = (...parts: readonly unknown[]): string =>
    createHmac('sha256', key)
      .update(JSON.stringify(['admin', ...parts]))
      .digest('base64url');
  return {
    issue: (session, target, shown) => {
      const [at, nonce] = [String(seconds(clock)), randomBytes(16).toString('base64url')];
      return [at, nonce, shown, macOf(session, target, at, nonce, shown)].join('.');
    },
    redeem: async (token, session, target, now) => {
      const [, at = '', nonce = '', shown = '', mac = ''] = TOKEN.exec(token) ?? [];
      if (!equalInConstantTime(mac, macOf(session, target, at, nonce, shown))) return 'refused';
      if (seconds(clock) - Number(at) > LIFETIME) return 'refused';
      if (shown !== now) return 'changed';
      const isFirst = await store.putIfAbsent(KIND, nonce, { used: true }, { ttl: 2 * LIFETIME });
      return isFirst ? 'good' : 'refused';
    },
  };
}
