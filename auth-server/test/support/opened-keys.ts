/** Owns the keys of a server in a test: opened as at a start, with a policy of round numbers. */
import type { Clock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import type { KeyPolicy } from '../../src/keys/keyring.ts';
import { type OpenedKeys, openKeys } from '../../src/keys/open.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';

export const policy: KeyPolicy = { algorithm: 'ES256', rotation: 10_000, lead: 100, tokenLifetime: 1_000, poll: 10 };

export const open = (store: RecordStore, clock: Clock = new FakeClock()): Promise<OpenedKeys> =>
  openKeys({ store, policy, clock, log: createLogger('auth-server', 'silent', { write: () => {} }) });
