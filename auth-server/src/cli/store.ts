/** Owns how a command opens the store of the server: by the same settings, while the command runs. */
import { userName, writeEntries } from '@mcp-oauth/shared/audit/cli/audited';
import type { Audit, AuditEntry } from '@mcp-oauth/shared/audit/entry';
import { type Clock, systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import manifest from '../../package.json' with { type: 'json' };
import { createScratchStore } from '../compose/in-process/scratch-store.ts';
import { composeEndingsOfCommand, entryOf } from '../compose/revocation/endings.ts';
import { type Config, readConfig } from '../config.ts';
import { discoverKinds } from '../federation/registry.ts';
import type { Ending, Endings } from '../revocation/endings.ts';
import type { GrantDirectory } from '../revocation/grant-directory.ts';
import type { StatusStore } from '../revocation/status-store.ts';
import { openStorage } from '../storage/open.ts';
import type { RecordStore } from '../storage/record-store.ts';

export interface OpenedStore {
  readonly config: Config;
  readonly store: RecordStore;
  readonly directory: GrantDirectory;
  readonly statusStore: StatusStore;
  readonly clock: Clock;
  /** Remembers an entry: all are written when the work is done. */
  readonly audit: Audit;
  readonly onEnded: (ending: Ending) => void;
}

/** Who writes the entries of a command. */
export const SERVICE = { service: 'auth-server', version: manifest.version } as const;

/** Runs `work` on the store that the environment names, and closes the store in any case. */
export type WithStore = <T>(env: Environment, work: (opened: OpenedStore) => Promise<T>) => Promise<T>;

/** The operation that ends access, on the store of a command. */
export const endingsOf = ({ config, ...opened }: OpenedStore): Endings =>
  composeEndingsOfCommand(config, {
    ...opened,
    onUnconfirmed: (connector) =>
      process.stderr.write(`${connector} did not confirm the end of its tokens, which are deleted here.\n`),
  });

/** Milliseconds: an operator waits at a prompt. */
const PATIENCE = 5_000;

/** The configuration, for a command that needs no store. */
export const configOf = async (env: Environment): Promise<Config> =>
  readConfig(env, await discoverKinds(new URL('../connectors/', import.meta.url)));

export const withStore: WithStore = (env, work) => withStorage(env, work);

/** The same for a command that must change nothing: its changes stay in this process. */
export const withScratchStore: WithStore = (env, work) =>
  withStorage(env, work, (store) => createScratchStore(store, systemClock));

async function withStorage<T>(
  env: Environment,
  work: (opened: OpenedStore) => Promise<T>,
  layer?: (store: RecordStore) => RecordStore,
): Promise<T> {
  const config = await configOf(env);
  const clock = systemClock;
  // Standard output is for the command; a problem with the store reaches it as an error.
  const log = createLogger('auth-server', 'silent');
  const { store, directory, statusStore, close } = await openStorage(config, {
    clock,
    log,
    patience: PATIENCE,
    ...(layer && { layer }),
  });
  const entries: AuditEntry[] = [];
  const audit: Audit = (entry) => {
    entries.push(entry);
  };
  const onEnded = ({ by, ...ending }: Ending) =>
    audit(entryOf({ ...ending, by: { ...by, actor: by.actor ?? userName() } }));
  try {
    return await work({ config, store, directory, statusStore, clock, audit, onEnded });
  } finally {
    await close();
    await writeEntries(entries, { settings: config, service: SERVICE, stderr: process.stderr });
  }
}
