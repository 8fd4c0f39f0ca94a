/** Owns how the status lists are created from the settings, for access tokens. */
import { randomInt } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Config } from '../../config.ts';
import type { CookieKeys } from '../../keys/key-store.ts';
import { keyPolicyOf } from '../../keys/settings.ts';
import { createStatusDocuments, type StatusDocuments } from '../../revocation/status-documents.ts';
import { createStatusLists, periodFor, type StatusLists } from '../../revocation/status-lists.ts';
import type { StatusStore } from '../../revocation/status-store.ts';

interface Dependencies {
  readonly statusStore: StatusStore;
  readonly clock: Clock;
  readonly cookieKeys: CookieKeys;
}

interface Status {
  readonly statusLists: StatusLists;
  readonly statusDocuments: StatusDocuments;
}

export function composeStatus(config: Config, { statusStore: store, clock, cookieKeys }: Dependencies): Status {
  const lifetime = keyPolicyOf(config).tokenLifetime;
  const statusLists = createStatusLists({
    store,
    clock,
    random: (below) => randomInt(below),
    issuer: config.issuer,
    secret: cookieKeys[0],
    name: 'access tokens',
    period: periodFor(lifetime),
    lifetime,
  });
  return { statusLists, statusDocuments: createStatusDocuments({ store, lists: statusLists, clock }) };
}
