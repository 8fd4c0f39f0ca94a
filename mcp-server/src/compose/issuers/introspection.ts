/** Owns the wiring of introspection: the issuer that is asked about opaque tokens, the limits, and the cache of active ones. */
import { randomUUID } from 'node:crypto';
import { reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { createOutage } from '@mcp-oauth/shared/network/outage';
import type { VerifyToken } from '../../authorization/access-token.ts';
import { Callers } from '../../authorization/introspection/callers.ts';
import { authenticated } from '../../authorization/introspection/credentials.ts';
import { endpointOf } from '../../authorization/introspection/endpoint.ts';
import { createIntrospection } from '../../authorization/introspection/introspection.ts';
import { createQuestion } from '../../authorization/introspection/question.ts';
import { Queue } from '../../authorization/introspection/queue.ts';
import type { ConfiguredIntrospection } from '../../authorization/introspection/settings.ts';
import { openSigned } from '../../authorization/introspection/signed-answer.ts';
import { createTokenCache } from '../../authorization/token-cache.ts';
import type { ProcessDependencies } from '../process.ts';
import type { RunningIssuer } from './issuer.ts';

/** Questions that run at the same time, and that wait for them: at 5 seconds each, the last one waits for 20 seconds at most. */
const RUNNING = 32;
const WAITING = 128;

/** A token that is not active is not kept: a stranger could make up any number of them. */
export function composeIntrospection(
  asked: RunningIssuer,
  { url, signedOnly, credentials, rules: ofAnswers, cache, limit }: ConfiguredIntrospection,
  { clock, fetch, log, meters }: ProcessDependencies,
): VerifyToken {
  const { url: issuer, rules, metadataIssuer, metadata, inside, keySource } = asked;
  const { clientId } = credentials;
  const outage = createOutage();
  const verify = createIntrospection({
    ask: createQuestion({
      endpoint: () => endpointOf({ url, signedOnly, metadata, inside }),
      authenticate: () => authenticated(credentials, { issuer: metadataIssuer, clock, newId: randomUUID }),
      fetch,
      open: (jwt) => openSigned(jwt, { rules: ofAnswers, issuer: metadataIssuer, clientId, keySource, clock }),
    }),
    rules,
    variable: ofAnswers.variable,
    callers: new Callers(clock, limit),
    limit,
    queue: new Queue(RUNNING, WAITING),
    clock,
    onOutcome: meters?.onIntrospection,
    onFailure: (error) => {
      const reason = reasonOf(error);
      if (outage.begin(reason)) log.warn({ issuer, reason }, 'issuer does not say whether tokens are active');
    },
    onAnswer: () => {
      if (outage.isAway) log.info({ issuer }, 'issuer says again whether tokens are active');
      outage.end();
    },
  });
  return createTokenCache({ verify, keys: { revision: () => 0 }, clock, maxAge: cache });
}
