/**
 * Owns `explain-client` in a test: a running server with some clients, and the command beside it on the same store, which it must
 * not change.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommandLine } from '@mcp-oauth/shared/cli/command-line';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { expect } from 'vitest';
import { explainClientCommand } from '../../src/cli/explain-client/command.ts';
import { createScratchStore } from '../../src/compose/in-process/scratch-store.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSealedStore } from '../../src/storage/sealed.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { WEB } from './client.ts';
import { commandsOn } from './command-store.ts';
import { type RunningServer, startServer } from './running-server.ts';

const RESOURCES = JSON.stringify([
  { url: 'http://localhost:8080', scopes: { 'mcp:tools': 'Use tools', 'mcp:admin': 'Administer' } },
]);
/** Secret of the clients; the command never shows it. */
export const SECRET = 'a-secret-that-is-never-shown';
const CLIENTS = JSON.stringify([
  { client_id: 'portal', redirect_uris: ['https://portal.example/cb'], scope: 'mcp:tools', client_secret: SECRET },
  { client_id: 'job', grant_types: ['client_credentials'], client_secret: SECRET },
  { client_id: 'pushes', redirect_uris: [WEB], require_pushed_authorization_requests: true },
]);
const ENV = { RESOURCES, CLIENTS };

export interface Told {
  readonly status: number | undefined;
  readonly accepted: boolean;
  readonly turn: readonly string[];
  readonly checks: readonly Readonly<Record<string, string>>[];
}

export const checkOf = ({ checks }: Told, name: string) => checks.find(({ check }) => check === name);

export interface Explained extends AsyncDisposable {
  readonly server: RunningServer;
  /** The store of the operator. */
  readonly store: RecordStore;
  /** An empty folder. */
  readonly folder: string;
  /** Runs the command, which must write nothing into the store of the operator and show no secret. */
  explain(
    words: readonly string[],
    env?: object,
    stdin?: string,
  ): Promise<{ status: number | undefined; stdout: string; stderr: string }>;
  /** The same with `--json`. */
  told(words: readonly string[], env?: object, stdin?: string): Promise<Told>;
}

const CHANGES = ['put', 'putIfAbsent', 'replace', 'take', 'consume', 'touch', 'delete'] as const;

/** Notes every call that changes the store. */
const observed = (inner: RecordStore, writes: string[]): RecordStore => {
  const noting = (name: (typeof CHANGES)[number]) => ({
    [name]: (...given: unknown[]) => {
      writes.push(`${name} ${given[0]}`);
      return (inner[name] as (...all: unknown[]) => unknown)(...given);
    },
  });
  return { ...inner, ...Object.assign({}, ...CHANGES.map(noting)), close: async () => {} };
};

export async function startExplained(): Promise<Explained> {
  const clock = new FakeClock(Date.now());
  const writes: string[] = [];
  const plain = observed(createSqliteStore(':memory:', clock), writes);
  const key = randomBytes(32);
  const store = createSealedStore(plain, [key]);
  const server = await startServer({ store, clock, env: ENV });
  const folder = mkdtempSync(join(tmpdir(), 'explain-'));

  const explain: Explained['explain'] = async (words, env = {}, stdin = '') => {
    const before = writes.length;
    const scratch = createSealedStore(createScratchStore(plain, clock), [key]);
    const command = explainClientCommand({
      withStore: commandsOn({ store: scratch, clock }),
      stdin: async () => stdin,
    });
    const written = { stdout: '', stderr: '' };
    const output = (name: keyof typeof written) => ({
      write: (text: string) => {
        written[name] += text;
      },
    });
    const status = await runCommandLine(
      { name: 'auth-server', summary: '', commands: [command] },
      {
        arguments: ['explain-client', ...words],
        env: { NODE_ENV: 'test', ...ENV, ...env },
        stdout: output('stdout'),
        stderr: output('stderr'),
      },
    );
    // The server has written its keys, so writes are noticed.
    expect(before).toBeGreaterThan(0);
    expect(writes.slice(before)).toEqual([]);
    expect(written.stdout + written.stderr).not.toContain(SECRET);
    return { status, ...written };
  };

  return {
    server,
    store,
    folder,
    explain,
    told: async (words, env, stdin) => {
      const { status, stdout, stderr } = await explain(['--json', ...words], env, stdin);
      expect(stderr).toBe('');
      return { status, ...JSON.parse(stdout) };
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}
