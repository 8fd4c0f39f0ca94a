/** Proves that sessions in memory keep the contract of session storage. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { createMemoryStorage } from '../../../src/storage/memory/storage.ts';
import { LIMITS, LOG_LIMITS, sessionStorageContract } from '../../contracts/session-storage.contract.ts';

sessionStorageContract('session storage in memory', async () => {
  const clock = new FakeClock();
  const open = createMemoryStorage(clock, LIMITS, LOG_LIMITS);
  return { clock, here: open(), there: open(), [Symbol.asyncDispose]: async () => {} };
});
