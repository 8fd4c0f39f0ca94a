/**
 * Owns `npm run sbom`: the bill of materials of the shipped packages, in CycloneDX, on standard output. Arguments are passed to
 * `npm sbom`. Its `--omit dev` would omit packages that a service and a development tool share, so it gets a lockfile without tools.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Package {
  readonly dev?: boolean;
  readonly devDependencies?: unknown;
}

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
const withoutTools = <P extends Package>({ devDependencies: _, ...rest }: P) => rest;

const root = read('package.json');
const lock = read('package-lock.json');
const shipped = Object.entries<Package>(lock.packages)
  .filter(([, { dev }]) => !dev)
  .map(([path, entry]) => [path, withoutTools(entry)]);

const room = mkdtempSync(join(tmpdir(), 'sbom-'));
try {
  // The name of the folder is the name in the document.
  const folder = join(room, root.name);
  const files: readonly (readonly [path: string, content: unknown])[] = [
    ['package-lock.json', { ...lock, packages: Object.fromEntries(shipped) }],
    ...['.', ...root.workspaces].map(
      (path) => [`${path}/package.json`, withoutTools(read(`${path}/package.json`))] as const,
    ),
  ];
  for (const [path, content] of files) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), JSON.stringify(content));
  }
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', ...process.argv.slice(2)];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  rmSync(room, { recursive: true });
}
