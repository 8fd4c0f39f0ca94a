/**
 * Owns the wait for the result of the request that asks or renews. It is brief, so that a slow upstream holds one request and not all
 * requests of a person.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { VaultRecord } from './record.ts';

/** How often, and after how many milliseconds, a request looks for the end of the lease. */
const LOOKS = 40;
const PAUSE = 50;

/** @returns the last record that was found: without a lease if the result is stored */
export async function afterLease(
  find: () => Promise<VaultRecord | undefined>,
  seen: VaultRecord,
  leaseOf = (record: VaultRecord): number | undefined => record.lease,
): Promise<VaultRecord> {
  let record = seen;
  for (let look = 0; look < LOOKS; look += 1) {
    await sleep(PAUSE);
    record = (await find()) ?? record;
    if (leaseOf(record) === undefined) break;
  }
  return record;
}
