/** Proves that the removal of a registration can be repeated if it fails half-way (RFC 7592 §2.3). */
import { expect, it } from 'vitest';
import { createClientAdapter } from '../../../src/provider/records/client-adapter.ts';
import type { ClientRecords } from '../../../src/provider/records/client-records.ts';
import { StoreUnavailable } from '../../../src/storage/record-store.ts';

it('RFC 7592 §2.3 a client stays registered until what was approved for it has ended', async () => {
  const steps: string[] = [];
  const clients = { remove: async () => void steps.push('removed') } as unknown as ClientRecords;
  let isLost = true;
  const adapter = createClientAdapter(clients, {
    initialAccessTokens: undefined as never,
    endings: {
      end: async () => {
        if (isLost) throw new StoreUnavailable('lost');
        steps.push('ended');
        return { grants: 1 };
      },
    },
  });
  await expect(adapter.destroy('app')).rejects.toThrow(StoreUnavailable);
  expect(steps).toEqual([]);
  isLost = false;
  await adapter.destroy('app');
  expect(steps).toEqual(['ended', 'removed']);
});
