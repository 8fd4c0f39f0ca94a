/**
 * Runs `npm run release:version -- 1.2.3`: writes the version of the next release wherever the version stands. All packages have one
 * version, as they are released together.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

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

/** Files that name the version in prose or as the tag of an image, with the text in front of it. */
const MENTIONS: readonly (readonly [glob: string, before: RegExp])[] = [
  ['Dockerfile', /(?<=^ARG VERSION=)[\w.-]+/gm],
  ['deploy/kubernetes/overlays/*/kustomization.yaml', /(?<=mcp-oauth-[\w-]+, newTag: )[\w.-]*\w/g],
  ['docs/kubernetes.md', /(?<=mcp-oauth-[\w-]+:)\d[\w.-]*/g],
];

function writeVersion(version: string): void {
  const { workspaces = [] } = rewrite('package.json', (manifest) => setVersion(manifest, version));
  for (const path of workspaces) rewrite(`${path}/package.json`, (manifest) => setVersion(manifest, version));
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

const [version = ''] = process.argv.slice(2);
if (/^\d+\.\d+\.\d+(?:-[\da-z.-]+)?$/.test(version)) writeVersion(version);
else {
  process.stderr.write('release:version: name the version, such as 1.2.3\n');
  process.exitCode = 1;
}
