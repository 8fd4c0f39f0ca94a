/**
 * Owns the check that a document is valid for Kubernetes: types generated from its OpenAPI schemas, with the compiler
 * as the validator. An unknown field, a wrong type or a missing field is an error.
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

/** The errors of the compiler; empty for a valid document. */
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

/** `networking.k8s.io/v1` is in networking/v1, and a version without a group is in core. */
function declaration(manifest: Manifest, n: number): string {
  const [version = '', group = 'core'] = manifest.apiVersion.split('/').reverse();
  const type = `import('kubernetes-types/${group.replace(/\..*/, '')}/${version}').${manifest.kind}`;
  return `export const document${n}: ${type} = ${JSON.stringify(manifest, null, 2)};`;
}
