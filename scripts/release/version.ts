/**
 * Owns `npm run release:version`: it creates the next version from the changes in .changeset. Changesets chooses the number and
 * writes it into the packages, which share one version; this script updates all other files, and the section of CHANGELOG.md.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseChange, releaseSection, withSection } from './changelog.ts';

interface Manifest {
  version?: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Record<string, string>;
}
interface Lock extends Manifest {
  readonly packages: Readonly<Record<string, Manifest>>;
}

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const write = (path: string, text: string) => writeFileSync(new URL(path, ROOT), text);

/** Files that contain the version in prose or as the tag of an image, with the text before it. */
const MENTIONS: readonly (readonly [glob: string, mention: RegExp])[] = [
  ['Dockerfile', /(?<=^ARG VERSION=)[\w.-]+/gm],
  ['deploy/kubernetes/overlays/*/kustomization.yaml', /(?<=mcp-oauth-[\w-]+, newTag: )[\w.-]*\w/g],
  ['docs/kubernetes.md', /(?<=mcp-oauth-[\w-]+:)\d[\w.-]*\w/g],
];

function setVersion(manifest: Manifest, version: string): void {
  manifest.version = version;
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    if (manifest.dependencies && name.startsWith('@mcp-oauth/')) manifest.dependencies[name] = version;
  }
}

function rewrite<M extends Manifest>(path: string, change: (manifest: M) => void): M {
  const manifest: M = JSON.parse(read(path));
  change(manifest);
  write(path, `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

function writeVersion(version: string): void {
  const { workspaces = [] } = rewrite('package.json', (manifest) => setVersion(manifest, version));
  rewrite<Lock>('package-lock.json', (lock) => {
    lock.version = version;
    for (const path of ['', ...workspaces]) {
      const entry = lock.packages[path];
      if (entry) setVersion(entry, version);
    }
  });
  for (const [glob, mention] of MENTIONS) {
    for (const path of globSync(glob, { cwd: ROOT })) write(path, read(path).replace(mention, version));
  }
}

const changes = globSync('.changeset/*.md', { cwd: ROOT })
  .sort()
  .flatMap((path) => parseChange(read(path)) ?? []);
const { status } = spawnSync('changeset', ['version'], { cwd: ROOT, stdio: 'inherit' });
if (status !== 0 || changes.length === 0) {
  process.stderr.write('release:version: there is no change in .changeset, or Changesets failed\n');
  process.exit(1);
}
const { version } = JSON.parse(read('shared/package.json'));
writeVersion(version);
write('CHANGELOG.md', withSection(read('CHANGELOG.md'), releaseSection(version, changes)));
process.stdout.write(`CHANGELOG.md has the section ${version}: read it, then commit.\n`);
