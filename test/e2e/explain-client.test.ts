/** Proves `npm run auth-server -- explain-client` as an operator uses it: its own process beside the store of the server. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';

const DATA_DIR = mkdtempSync(join(tmpdir(), 'explain-'));
afterAll(() => rmSync(DATA_DIR, { recursive: true }));

const RESOURCES = '[{"url":"http://localhost:8080","scopes":{"mcp:tools":"Use tools"}}]';

function authServer(words: readonly string[], input?: string) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'test', DATA_DIR, RESOURCES };
  return spawnSync('npm', ['run', '-s', 'auth-server', '--', ...words], { env, input, encoding: 'utf8' });
}

function records(): unknown {
  const database = new DatabaseSync(join(DATA_DIR, 'auth-server.sqlite'));
  try {
    return database.prepare('SELECT * FROM record ORDER BY kind, id').all();
  } finally {
    database.close();
  }
}

describe('npm run auth-server -- explain-client', () => {
  it('explain-client ends with 0, 1 or 2, and leaves every record as it was', () => {
    const { stdout } = authServer(['clients', 'add', '--json', '--redirect-uri', 'https://portal.example/callback']);
    const { client_id: id } = JSON.parse(stdout);
    const before = records();
    const accepted = authServer(['explain-client', id, '--scope', 'mcp:tools']);
    expect([accepted.status, accepted.stderr]).toEqual([0, '']);
    expect(accepted.stdout).toContain('✓ scope: mcp:tools');
    const refused = authServer(['explain-client', id, '--redirect-uri', 'https://portal.example/']);
    expect([refused.status, refused.stderr]).toEqual([1, '']);
    expect(refused.stdout).toContain('Refused: it is the turn of the operator of this server (CLIENTS).');
    const registration = JSON.stringify({ redirect_uris: ['http://localhost/callback'] });
    const registered = authServer(['explain-client', '--registration', '-', '--json'], registration);
    expect([registered.status, JSON.parse(registered.stdout).accepted]).toEqual([0, true]);
    expect(authServer(['explain-client']).status).toBe(2);
    expect(records()).toEqual(before);
  });
});
