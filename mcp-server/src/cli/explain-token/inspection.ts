/** Owns the parts of the server that judge a token, wired by the same settings for a command: nothing listens, and Redis is not needed. */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import { createOutgoingFetch, type Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { type Authorization, composeAuthorization } from '../../compose/authorization.ts';
import { composeCatalog } from '../../compose/catalog.ts';
import { type Config, readConfig } from '../../config.ts';
import { sharedKeys } from '../../keys/sealing-keys.ts';
import type { Catalog } from '../../protocol/catalog/catalog.ts';
import { memoryKeyRecord } from '../../storage/memory/key-record.ts';
import { memoryReplayMemory } from '../../storage/memory/replay-memory.ts';

export interface Inspection {
  readonly config: Config;
  readonly clock: Clock;
  readonly catalog: Catalog;
  /**
   * The authorization of the server, with nothing cached.
   * @param fetch how the documents of the issuers are got; absent: as the server does
   */
  authorization(fetch?: Fetch): Authorization;
}

/** @throws StartError for every configuration that can't work */
export async function openInspection(
  env: Environment,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<Inspection> {
  const config = readConfig(env);
  const catalog = await composeCatalog(config, log);
  catalog.close();
  const [keys, replays] = [sharedKeys(memoryKeyRecord(), clock), memoryReplayMemory(clock)];
  return {
    config,
    clock,
    catalog: catalog.current(),
    authorization: (fetch = createOutgoingFetch(config)) =>
      composeAuthorization(config, {
        ...{ clock, fetch, fetchOften: fetch, log, meters: undefined },
        ...{ keys, replays, catalog },
      }),
  };
}
