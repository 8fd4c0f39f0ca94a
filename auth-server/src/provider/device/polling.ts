/**
 * Owns how often a device may ask whether its person has approved (RFC 8628 §3.5): a device that asks again too soon gets `slow_down`,
 * at whichever replica it asks. Only codes that wait are counted, so a stranger with invented codes leaves no counter.
 */
import { hash } from 'node:crypto';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { GrantHandler } from '../overrides/token/grant-handlers.ts';

/** Seconds between two requests, which every answer with a device code names. */
const INTERVAL = 5;
/** Seconds in which a second request is too fast: a little less, because requests do not arrive as evenly as they are sent. */
export const TOO_SOON = 4;

/** Counts requests by key, and returns the seconds to wait, or 0. */
export interface Limit {
  take(key: string): Promise<number>;
}

export const slowDown =
  (limit: Limit) =>
  (handler: GrantHandler): GrantHandler =>
  async (ctx) => {
    try {
      await handler(ctx);
    } catch (error) {
      if (!(error instanceof errors.AuthorizationPending)) throw error;
      const wait = await limit.take(hash('sha256', String(ctx.oidc.params?.device_code), 'base64url'));
      throw wait > 0 ? new errors.SlowDown('wait 5 seconds longer between two requests (RFC 8628 §3.5)') : error;
    }
  };

/** RFC 8628 §3.2: the answer says how often a device may ask. The engine of oidc-provider 9.13.3 emits the event before it sends it. */
export const nameInterval = (provider: Provider): void => {
  provider.on('device_authorization.success', (_ctx, answer) => Object.assign(answer, { interval: INTERVAL }));
};
