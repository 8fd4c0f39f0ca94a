/** Owns the wiring of status lists: the issuers that may publish them, when they are read, and what is logged about them. */
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import { reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { createPlace } from '@mcp-oauth/shared/network/place';
import { TICK } from '../../authorization/status/status-list.ts';
import { StatusLists } from '../../authorization/status/status-lists.ts';
import type { Config } from '../../config.ts';
import type { Revoked } from '../../protocol/endpoints.ts';
import type { ProcessDependencies } from '../process.ts';
import type { RunningIssuer } from './issuer.ts';

export function composeStatus(
  { statusMaxAge: maxAge, statusGrace: grace }: Config,
  issuers: readonly RunningIssuer[],
  { fetch, clock, log, meters }: ProcessDependencies,
): StatusLists {
  return new StatusLists({
    issuers: issuers.flatMap((one) => {
      const { id, rules, keySource } = one;
      return rules.map((each) => ({ id, inside: insideOf(one), keySource, rules: each }));
    }),
    limits: { maxAge, grace },
    fetch,
    clock,
    onFailure: ({ id, rules: { issuer } }, error, isNews) => {
      meters?.onFetchFailure('status list', id);
      if (isNews) log.warn({ issuer, reason: reasonOf(error) }, 'status list not read');
    },
    onRecovery: ({ rules: { issuer } }, list) => log.info({ issuer, list }, 'status list read again'),
  });
}

/** Where auth-server has its keys, below its URL. */
const JWKS_PATH = '/jwks';

/** JWKS_URL says where auth-server is, if nothing else does: its lists are beside its keys. */
function insideOf({ url, internalUrl, jwksUrl, inside }: RunningIssuer): (url: string) => string {
  if (internalUrl !== undefined || !jwksUrl?.endsWith(JWKS_PATH)) return inside;
  return createPlace(url + JWKS_PATH, jwksUrl).inside;
}

/** Reads the lists from now on, and ends what was revoked. @returns a function that stops it */
export function readLists(
  lists: StatusLists,
  endRevoked: () => Promise<Revoked>,
  { log, meters, audit }: Pick<ProcessDependencies, 'log' | 'meters'> & { readonly audit: Audit | undefined },
): () => void {
  const end = async (): Promise<void> => {
    const ended = await endRevoked();
    const { calls, streams, sessions } = ended;
    if (calls + streams + sessions.length === 0) return;
    meters?.onRevoked(ended);
    log.info({ calls, streams, sessions: sessions.length }, 'ended what was revoked');
    for (const { subject, clientId } of sessions)
      audit?.({ event: 'session.ended', outcome: 'ok', who: subject, client: clientId, reason: 'revoked' });
  };
  lists.onChange(() => {
    end().catch((err: unknown) => log.error({ err }, 'what was revoked could not be ended'));
  });
  const timer = setInterval(() => lists.tick(), TICK).unref();
  return () => clearInterval(timer);
}
