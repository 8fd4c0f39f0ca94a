/**
 * Owns the output of `kubectl kustomize` for deploy/kubernetes: the documents that would be applied, in a copy with
 * secrets.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Deployment, StatefulSet } from 'kubernetes-types/apps/v1.d.ts';
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.d.ts';
import type { ConfigMap, Namespace, Secret, Service, ServiceAccount } from 'kubernetes-types/core/v1.d.ts';
import type { Ingress, NetworkPolicy } from 'kubernetes-types/networking/v1.d.ts';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.d.ts';
import { parseAllDocuments } from 'yaml';

const DEPLOY = fileURLToPath(new URL('../../deploy', import.meta.url));

export const hasKustomize = /^Kustomize Version: v5/m.test(
  spawnSync('kubectl', ['version', '--client'], { encoding: 'utf8' }).stdout ?? '',
);
export const NEEDS_KUSTOMIZE = 'needs kubectl with Kustomize 5: see .ci/kubectl.sh';

interface Kinds {
  readonly Namespace: Namespace;
  readonly ServiceAccount: ServiceAccount;
  readonly ConfigMap: ConfigMap;
  readonly Secret: Secret;
  readonly Service: Service;
  readonly Deployment: Deployment;
  readonly StatefulSet: StatefulSet;
  readonly HorizontalPodAutoscaler: HorizontalPodAutoscaler;
  readonly PodDisruptionBudget: PodDisruptionBudget;
  readonly NetworkPolicy: NetworkPolicy;
  readonly Ingress: Ingress;
}
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

export const ofKind = <K extends keyof Kinds>(manifests: readonly Manifest[], kind: K) =>
  manifests.filter((manifest) => manifest.kind === kind) as (Manifest & Kinds[K])[];

/** The secret files of an overlay, by their path in it, as an operator makes them. */
export type SecretFiles = Readonly<Record<string, string>>;

/** @throws Error with the message of Kustomize */
export function render(overlay: string, secrets: SecretFiles): readonly Manifest[] {
  const room = mkdtempSync(join(tmpdir(), 'kubernetes-'));
  try {
    // Files that a developer left in a folder of secrets are not part of the repository.
    cpSync(DEPLOY, room, { recursive: true, filter: (path) => !path.endsWith('/secrets') });
    for (const [path, text] of Object.entries(secrets)) {
      const file = join(room, 'kubernetes/overlays', path);
      if (!existsSync(dirname(file))) mkdirSync(dirname(file));
      writeFileSync(file, text);
    }
    const folder = join(room, 'kubernetes', overlay);
    const { stdout, stderr, status } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return parseManifests(stdout);
  } finally {
    rmSync(room, { recursive: true });
  }
}

export const parseManifests = (text: string): readonly Manifest[] =>
  parseAllDocuments(text).map((document) => document.toJSON());
