/** Proves that a trail in a file survives rotation, a full disk and half a line, and that only its owner can read it. */
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chainKey } from '@mcp-oauth/shared/audit/chain';
import { openAudit } from '@mcp-oauth/shared/audit/open';
import { linesOfFiles } from '@mcp-oauth/shared/audit/reading/source';
import { verify } from '@mcp-oauth/shared/audit/reading/verify';
import { openFileSink } from '@mcp-oauth/shared/audit/sinks/file-sink';
import { StartError } from '@mcp-oauth/shared/errors';
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterAll, describe, expect, it, vi } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'audit-file-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const fresh = () => {
  files += 1;
  return join(folder, `audit-${files}.jsonl`);
};

const bytes = Buffer.alloc(32, 3);
const open = (auditFile: string, writer: string) =>
  openAudit({
    settings: { audit: 'file', auditFile, auditKeys: [bytes], auditStreamLength: 1_000 },
    service: 'mcp-server',
    version: '0',
    redis: undefined,
    newId: () => writer,
    clock: new FakeClock(),
    log: createLogger('test', 'silent'),
    output: process.stdout,
  });

describe('the audit in a file', () => {
  it('only the owner can read the file', async () => {
    const path = fresh();
    await (await openFileSink(path)).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('a file that was moved away is created again, and both parts verify together', async () => {
    const path = fresh();
    const trail = await open(path, 'one');
    trail?.audit({ event: 'tool.called', outcome: 'ok' });
    await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toContain('tool.called'), { timeout: 60_000 });
    renameSync(path, `${path}.1`);
    trail?.audit({ event: 'session.opened', outcome: 'ok' });
    await trail?.close();
    expect(readFileSync(path, 'utf8')).toContain('session.opened');
    const verdict = await verify(linesOfFiles([path, `${path}.1`]), [chainKey(bytes)]);
    expect(verdict).toMatchObject({ problems: [], entries: 4, chains: [{ first: 1, last: 4, ended: true }] });
  });

  it('half a line of a process that was killed does not swallow the next entry', async () => {
    const path = fresh();
    appendFileSync(path, '{"event":"tool.called","at":"2026');
    await (await open(path, 'two'))?.close();
    const { problems, entries } = await verify(linesOfFiles([path]), [chainKey(bytes)]);
    expect(entries).toBe(2);
    expect(problems.map(({ kind, message }) => [kind, message])).toEqual([
      ['altered', `line 1 of ${path} is cut off, or was altered: it does not end as an entry does`],
    ]);
  });

  it('a full disk is an error and no crash', async () => {
    const sink = await openFileSink('/dev/full');
    await expect(sink.write(['{}\n'])).rejects.toThrow('ENOSPC');
    await sink.close();
  });

  it.each([tmpdir(), '/nowhere/audit.jsonl'])('a start with AUDIT_FILE=%s fails with the reason', async (path) => {
    await expect(open(path, 'three')).rejects.toThrow(StartError);
    await expect(open(path, 'three')).rejects.toThrow(/^AUDIT_FILE: ".*" can't be opened \((EISDIR|ENOENT)\)$/);
  });
});
