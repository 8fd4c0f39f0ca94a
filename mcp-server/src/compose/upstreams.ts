/** Owns the wiring of upstreams: the exchange at the issuers, the tokens in use, and the public half of the key of this server. */
import { randomUUID } from 'node:crypto';
import { Queue } from '../authorization/introspection/queue.ts';
import type { Config } from '../config.ts';
import { createExchange, type ExchangeIssuer } from '../upstream/exchange.ts';
import { publicKeysOf } from '../upstream/own-key.ts';
import { createProofs } from '../upstream/proofs.ts';
import { createRequests } from '../upstream/request.ts';
import { createTokens } from '../upstream/tokens.ts';
import { NO_UPSTREAMS, type Upstreams } from '../upstream/upstreams.ts';
import type { RunningIssuer } from './issuers/issuer.ts';
import type { ProcessDependencies } from './process.ts';

/** Exchanges that run at the same time, and that wait for them: all wait for the same issuers. */
const RUNNING = 32;
const WAITING = 128;

/** The public keys of this server (RFC 9728 §2 `jwks_uri`); nothing without EXCHANGE_KEY. */
export const ownKeysOf = ({ exchangeKeys }: Config): object | undefined => exchangeKeys && publicKeysOf(exchangeKeys);

/** @returns nothing without a key: no upstream is configured then */
export function composeUpstreams(
  { upstreams, exchangeClientId: clientId, exchangeKeys }: Config,
  issuers: readonly RunningIssuer[],
  { fetch, fetchOften, clock, meters }: ProcessDependencies,
): Upstreams {
  const configured = new Map(upstreams.map((one) => [one.id, one]));
  if (!exchangeKeys) return NO_UPSTREAMS;
  const [clientKey] = exchangeKeys;
  const prove = createProofs(clientKey, clock, randomUUID);
  const ofIssuers = issuers.flatMap(({ rules, metadata, inside }) =>
    rules.map(({ issuer }): readonly [string, ExchangeIssuer] => [issuer, { metadata, inside }]),
  );
  const exchange = createExchange({
    ...{ clientId, clientKey, prove, fetch, clock },
    issuers: new Map(ofIssuers),
    newId: randomUUID,
  });
  return {
    configured,
    token: createTokens({
      exchange,
      onOutcome: meters?.onExchange,
      clock,
      queue: new Queue(RUNNING, WAITING),
    }),
    request: createRequests(fetchOften, prove, () => performance.now()),
  };
}
