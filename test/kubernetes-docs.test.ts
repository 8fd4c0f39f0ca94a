/**
 * Proves that docs/kubernetes.md can be followed literally: its commands make sets that build, and its samples are
 * valid.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { hasKustomize, NEEDS_KUSTOMIZE, ofKind, parseManifests } from './kubernetes/manifest.ts';
import { schemaViolations } from './kubernetes/schema.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(ROOT, 'docs/kubernetes.md'), 'utf8');
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);

/** Builds what the page applies. */
const KUBECTL = 'kubectl() { shift; [ "$1" = -k ] && command kubectl kustomize "$2"; }';

function follow(commands: string) {
  const cwd = mkdtempSync(join(tmpdir(), 'kubernetes-docs-'));
  try {
    cpSync(join(ROOT, 'deploy'), join(cwd, 'deploy'), {
      recursive: true,
      filter: (path) => !path.endsWith('/secrets'),
    });
    const { stdout, stderr, status } = spawnSync('bash', ['-ec', `${KUBECTL}\n${commands}`], { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return parseManifests(stdout);
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

describe('docs/kubernetes.md', () => {
  beforeEach((context) => context.skip(!hasKustomize, NEEDS_KUSTOMIZE));

  const recipes = blocks('sh').filter((commands) => commands.includes('kubectl apply'));

  it.each([
    ['both services', ['auth-server', 'mcp-server']],
    ['an issuer that is there already', ['mcp-server']],
  ])('docs/kubernetes.md has the commands for %s', (_, services) => {
    const applied = recipes.map(follow).map((manifests) => ofKind(manifests, 'Deployment'));
    expect(applied.map((deployments) => deployments.map(({ metadata }) => metadata.name))).toContainEqual(services);
  });

  it('the samples of docs/kubernetes.md are valid for Kubernetes', () => {
    const samples = blocks('yaml').map((text) => parse(text));
    expect(samples.length).toBeGreaterThan(0);
    expect(schemaViolations(samples)).toEqual([]);
  });
});
