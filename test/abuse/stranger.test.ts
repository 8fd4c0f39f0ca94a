/**
 * Proves that an unauthenticated caller cannot exhaust auth-server, whatever it sends (CWE-400): memory stays within
 * the container's limit, and little is stored. Prints the figures: memory, bytes that each accepted request leaves, and
 * the answers.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { describe, expect, it } from 'vitest';
import { Stranger } from './stranger.ts';
import { CONTAINER, hasProc, inWords, NEEDS_PROC, print, watch } from './watched.ts';

/** Bytes that one accepted request may leave: parameters of 4 KiB each, twice, and the file pages around them. */
const EACH = 24_576;

/** Size of the store, with its write-ahead log. */
function bytesIn(file: string): number {
  using database = new DatabaseSync(file, { readOnly: true });
  const pragma = (name: string) => Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
  return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
}

const accepted = (status: number): boolean => status < 400;

describe('an unauthenticated caller at auth-server', () => {
  it('RFC 9700 §4.16 an unauthenticated caller gets little memory and storage, and causes no server error', async (context) => {
    context.skip(!hasProc, NEEDS_PROC);
    const folder = mkdtempSync(join(tmpdir(), 'abuse-'));
    await using closing = new AsyncDisposableStack();
    closing.defer(() => rmSync(folder, { recursive: true, force: true }));
    const [port = 0, metricsPort = 0] = await freePorts(2);
    const url = `http://localhost:${port}`;
    const settings = {
      ISSUER: url,
      PORT: String(port),
      DATA_DIR: folder,
      TRUSTED_PROXIES: 'loopback',
      LOG_LEVEL: 'info',
    };
    await using server = await watch('auth-server/src/main.ts', settings, metricsPort);
    const file = join(folder, 'auth-server.sqlite');
    const stranger = new Stranger(url);
    const start = bytesIn(file);
    print(`\nauth-server: ${server.peak()} MiB at the start`);
    for (const [move, make] of Object.entries(stranger.moves)) {
      const before = bytesIn(file);
      const answers = await make();
      const left = bytesIn(file) - before;
      const taken = answers.filter(({ status }) => accepted(status)).length;
      const each = taken === 0 ? 0 : Math.round(left / taken);
      const counts = Object.entries(Object.groupBy(answers, ({ status }) => String(status)));
      const statuses = inWords(Object.fromEntries(counts.map(([status, all = []]) => [status, all.length])));
      print(
        `  ${move}: peak ${server.peak()} MiB, ${Math.round(left / 1024)} KiB stored, ${each} bytes for each taken; ${statuses}`,
      );
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
      expect(each, move).toBeLessThan(EACH);
      if (taken === 0) expect(left, `${move}: nothing was taken, and yet something is kept`).toBeLessThan(1_048_576);
    }
    print(`  in all: ${((bytesIn(file) - start) / 1_048_576).toFixed(1)} MiB in the SQLite file`);
    expect(server.peak()).toBeLessThan(CONTAINER);
    expect(server.run.output).not.toMatch(/"level":"(error|fatal)"/);
  });
});
