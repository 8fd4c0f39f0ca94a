/**
 * Owns which tests are unit tests: those that, with all their helpers, import nothing that opens a socket, starts a process or
 * drives a browser. The rule reads the imports, so a test that moves needs no list to follow it.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TESTS = ['{shared,auth-server,mcp-server,development-idp,client,scripts}/test/**/*.test.ts', 'test/*.test.ts'];

/** Modules that reach beyond the process. Their types count as well: a test that names a server has one. */
const OUTSIDE =
  /^(?:node:(?:child_process|dgram|dns|dns\/promises|http|http2|https|net|tls|worker_threads)|ioredis|playwright-core)$/;
const IMPORT = /^(?:import|export)\s(?:[^'"]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'/gm;

/** @returns the helper that an import names, as a path from the root; undefined for sources and libraries */
function helper(from: string, specifier: string): string | undefined {
  const [, inShared] = /^@mcp-oauth\/shared\/(testing\/.+)$/.exec(specifier) ?? [];
  const candidates = inShared
    ? [`shared/${inShared}.ts`, `shared/src/${inShared}.ts`]
    : [posix.join(posix.dirname(from), specifier)].filter((path) => /(?:^|\/)(?:test|testing)\//.test(path));
  return specifier.startsWith('.') || inShared ? candidates.find((path) => existsSync(join(ROOT, path))) : undefined;
}

function reachesOutside(path: string, seen: Map<string, boolean>): boolean {
  const known = seen.get(path);
  if (known !== undefined) return known;
  // Helpers may import each other in a circle.
  seen.set(path, false);
  const imports = [...readFileSync(join(ROOT, path), 'utf8').matchAll(IMPORT)];
  const outside = imports.some(([, standing, dynamic]) => {
    const specifier = standing ?? dynamic ?? '';
    if (OUTSIDE.test(specifier)) return true;
    const next = helper(path, specifier);
    return next !== undefined && reachesOutside(next, seen);
  });
  seen.set(path, outside);
  return outside;
}

/** @returns the files of the unit tests, as paths from the root */
export function unitTests(): string[] {
  const seen = new Map<string, boolean>();
  return globSync(TESTS, { cwd: ROOT })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !reachesOutside(path, seen))
    .sort();
}
