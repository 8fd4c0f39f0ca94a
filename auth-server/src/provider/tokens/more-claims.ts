/** Owns what an access token says besides what RFC 9068 requires: claims about the person, and where its status is. */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Configuration } from 'oidc-provider';
import type { Resources } from '../../resources/resource.ts';
import type { StatusLists } from '../../revocation/status-lists.ts';
import type { RecordStore } from '../../storage/record-store.ts';
import { tellPerson } from './person-claims.ts';
import { referToStatus } from './status.ts';

export interface MoreClaimsOptions {
  readonly resources: Resources;
  /** Bytes of the claims about a person in one access token. */
  readonly maxTokenClaimsSize: number;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly statusLists: StatusLists;
  /** Whether access tokens refer to a status list. */
  readonly hasStatus: boolean;
}

export type MoreClaims = NonNullable<Configuration['extraTokenClaims']>;

export function moreClaims(options: MoreClaimsOptions): MoreClaims {
  const { resources, maxTokenClaimsSize, store, clock, statusLists, hasStatus } = options;
  const person = tellPerson(resources, maxTokenClaimsSize);
  const status = referToStatus({ store, clock, lists: statusLists });
  return async (ctx, token) => ({ ...(await person(ctx, token)), ...(hasStatus && (await status(ctx, token))) });
}
