/** Owns the store that a command in a test opens: the one of the test, which stays open after the command. */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { WithStore } from '../../src/cli/store.ts';
import { readConfig } from '../../src/config.ts';
import { discoverKinds } from '../../src/federation/registry.ts';
import type { GrantDirectory } from '../../src/revocation/grant-directory.ts';
import type { StatusStore } from '../../src/revocation/status-store.ts';
import { createSqliteDirectory } from '../../src/storage/directory/sqlite.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStatusStore } from '../../src/storage/status/sqlite.ts';

const kinds = await discoverKinds(new URL('../../src/connectors/', import.meta.url));

interface Opened {
  readonly store: RecordStore;
  /** Absent: an empty one. */
  readonly directory?: GrantDirectory;
  /** Absent: one without lists. */
  readonly statusStore?: StatusStore;
  readonly clock: Clock;
}

export const commandsOn =
  ({ store, clock, ...others }: Opened): WithStore =>
  async (env, work) => {
    const directory = others.directory ?? createSqliteDirectory(':memory:', clock);
    const statusStore = others.statusStore ?? createSqliteStatusStore(':memory:', clock);
    const config = readConfig(env, kinds);
    return work({ config, store, directory, statusStore, clock, audit: () => {}, onEnded: () => {} });
  };
