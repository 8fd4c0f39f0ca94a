/**
 * Owns the judgement whether a document is one of Kubernetes' own: the types made of its OpenAPI schemas, with the compiler as
 * the validator. A field that they do not have is an error, as is a wrong type and a missing field.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Manifest } from './manifest.ts';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

const CONFIG = {
  compilerOptions: {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    module: 'preserve',
    moduleResolution: 'bundler',
    paths: { 'kubernetes-types/*': [join(MODULES, 'kubernetes-types/*')] },
  },
};

/** What is wrong, in the words of the compiler; nothing when all is well. */
export function schemaViolations(manifests: readonly Manifest[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'manifests-'));
  try {
    writeFileSync(join(folder, 'manifests.ts'), manifests.map(declaration).join('\n'));
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG));
    const compiler = join(MODULES, 'typescript/bin/tsc');
    const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
    const errors = stdout.split('\n').filter((line) => line.includes('error TS'));
    if (status !== 0 && errors.length === 0) throw new Error(`the compiler failed: ${stdout}`);
    return errors;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `networking.k8s.io/v1` lies in networking/v1, and what has no group in core. */
function declaration(manifest: Manifest, n: number): string {
  const [version = '', group = 'core'] = manifest.apiVersion.split('/').reverse();
  const type = `import('kubernetes-types/${group.replace(/\..*/, '')}/${version}').${manifest.kind}`;
  return `export const document${n}: ${type} = ${JSON.stringify(manifest, null, 2)};`;
}
