/**
 * Owns a run of the official conformance runner against an MCP server: its verdict, its counts, and the checks that
 * failed.
 */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Run } from '../support/stack.ts';

export interface Suite {
  readonly name: string;
  /** The arguments of the runner. */
  readonly option: string;
  /** Checks that have to pass; a smaller number means that some were skipped, which the exit code does not show. */
  readonly atLeast: number;
  /** Checks of extensions and pending scenarios, which a frozen set runs but does not score. */
  readonly mayFail: boolean;
}

/** The requirement: everything in both frozen requirement sets, and in the runner's default suite. */
export const SUITES: readonly Suite[] = [
  { name: 'active', option: '--suite active', atLeast: 73, mayFail: false },
  { name: '2025-11-25', option: '--requirements 2025-11-25', atLeast: 84, mayFail: false },
  { name: '2026-07-28', option: '--requirements 2026-07-28', atLeast: 165, mayFail: true },
];

export interface Verdict {
  readonly code: number | null;
  readonly passed: number;
  readonly failed: number;
  readonly reached: boolean;
  /** Failures and warnings, one per line. */
  readonly remarks: readonly string[];
  readonly output: string;
}

export async function judge(url: string, { option, atLeast, mayFail }: Suite): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    const run = new Run({}, `node_modules/.bin/conformance server --url ${url} ${option} -o ${folder}`);
    const { code, output } = await run.ended;
    const [, passed, failed] = /^Total: (\d+) passed, (\d+) failed/m.exec(output) ?? [];
    const count = { passed: Number(passed ?? 0), failed: Number(failed ?? 0) };
    const reached = code === 0 && count.passed >= atLeast && (mayFail || count.failed === 0);
    return { code, ...count, reached, remarks: remarksIn(folder), output };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

/** The runner writes one file per scenario. */
function remarksIn(folder: string): string[] {
  return globSync('**/checks.json', { cwd: folder }).flatMap((file) => {
    const scenario = basename(dirname(file)).replace(/-\d{4}-\d\d-\d\dT.*$/, '');
    const checks = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Check[];
    return checks
      .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
      .map(({ id, status, errorMessage = '' }) => `${status} ${scenario} ${id}: ${errorMessage.split('\n')[0]}`);
  });
}
