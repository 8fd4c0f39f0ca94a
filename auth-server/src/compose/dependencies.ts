/** Owns what the composition root gives to every capability: clock, log, network, storage and the pages. */
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import type { ChooseLanguage } from '../languages/languages.ts';
import type { GrantDirectory } from '../revocation/grant-directory.ts';
import type { CreateRateLimit } from '../storage/rate-limit.ts';
import type { RecordStore } from '../storage/record-store.ts';
import type { Pages } from '../views/pages.ts';

export interface Dependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly audit: Audit;
  readonly fetch: Fetch;
  readonly store: RecordStore;
  readonly directory: GrantDirectory;
  readonly createRateLimit: CreateRateLimit;
  readonly languageOf: ChooseLanguage;
  readonly pages: Pages;
}
