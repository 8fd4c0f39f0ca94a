/**
 * Proves the terminal client with independent software: the official conformance runner's scenarios of the authorization extensions, each
 * with an MCP server, an authorization server and, where it needs one, an identity provider of its own. No failure is expected.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Run } from '../support/stack.ts';

const COMMAND = ['node_modules/.bin/conformance', 'client', '--command', 'node test/conformance/client.ts'];

describe('the official conformance runner against the terminal client', () => {
  it.concurrent.each([
    ['Enterprise-Managed Authorization §3 to §5', 'auth/enterprise-managed-authorization', 9],
    ['OAuth Client Credentials "JWT Authentication"', 'auth/client-credentials-jwt', 8],
    ['OAuth Client Credentials "Client Secret"', 'auth/client-credentials-basic', 8],
    ['MCP 2025-11-25 "Dynamic Client Registration"', 'auth/metadata-default', 12],
  ])('%s: %s passes with at least %i checks', async (_title, scenario, atLeast) => {
    const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
    // By default the runner ends a client after 30 seconds, and here are four of them at once.
    const run = new Run({}, [...COMMAND, '--scenario', scenario, '--timeout', '120000', '-o', folder]);
    const { code, output } = await run.ended;
    rmSync(folder, { recursive: true });
    const [, passed, all] = /^Passed: (\d+)\/(\d+), 0 failed, 0 warnings/m.exec(output) ?? [];
    expect(code, output).toBe(0);
    expect(passed, output).toBe(all);
    expect(Number(passed), output).toBeGreaterThanOrEqual(atLeast);
  });
});
