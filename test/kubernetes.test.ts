/**
 * Proves that deploy/kubernetes is valid for Kubernetes, that its parts fit together, and that it opens no more than
 * needed.
 */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { BlockList } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { EnvVar, PodSpec, PodTemplateSpec } from 'kubernetes-types/core/v1.d.ts';
import type { LabelSelector } from 'kubernetes-types/meta/v1.d.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { CERTIFICATE } from '../auth-server/test/support/client-host.ts';
import { hasKustomize, type Manifest, NEEDS_KUSTOMIZE, ofKind, render } from './kubernetes/manifest.ts';
import { OVERLAYS, secretsOf } from './kubernetes/overlays.ts';
import { schemaViolations } from './kubernetes/schema.ts';

const rendered = (overlay: string) => render(`overlays/${overlay}`, secretsOf(overlay));
const workloads = (manifests: readonly Manifest[]) => [
  ...ofKind(manifests, 'Deployment'),
  ...ofKind(manifests, 'StatefulSet'),
];
const podOf = (workload: { spec?: { template: PodTemplateSpec } }): PodSpec => {
  const spec = workload.spec?.template.spec;
  if (!spec) throw new Error('a workload without a pod');
  return spec;
};
const names = (manifests: readonly Manifest[]) => manifests.map(({ metadata }) => metadata.name);
const matches = (selector: LabelSelector = {}, labels: Readonly<Record<string, string>> = {}) =>
  Object.entries(selector.matchLabels ?? {}).every(([label, value]) => labels[label] === value);

beforeEach((context) => context.skip(!hasKustomize, NEEDS_KUSTOMIZE));

describe.each(OVERLAYS)('overlays/%s', (overlay) => {
  it('the overlay is valid by the schemas of Kubernetes', () => {
    expect(schemaViolations(rendered(overlay))).toEqual([]);
  });

  it('the overlay uses one namespace, which admits no privileged pod', () => {
    const [namespace, ...others] = rendered(overlay);
    expect(namespace?.metadata).toMatchObject({
      name: 'mcp-oauth',
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    });
    for (const { metadata } of others) expect(metadata.namespace, metadata.name).toBe('mcp-oauth');
  });

  it('every container runs as an ordinary user without write access or new privileges', () => {
    const pods = workloads(rendered(overlay)).map(podOf);
    expect(pods.length).toBeGreaterThan(0);
    for (const pod of pods) {
      expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(pod.securityContext?.runAsUser).toBeGreaterThan(0);
      for (const { securityContext, resources, image = '' } of pod.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(resources).toMatchObject({ requests: {}, limits: { memory: expect.any(String) } });
        expect(image, 'a version').toMatch(/:[\w.-]+$/);
      }
    }
  });

  it('every container has startup, readiness and liveness probes', () => {
    for (const { containers } of workloads(rendered(overlay)).map(podOf)) {
      for (const { startupProbe, readinessProbe, livenessProbe, ports = [] } of containers) {
        expect([startupProbe, readinessProbe, livenessProbe]).not.toContain(undefined);
        const asked = [startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.httpGet?.path);
        expect(['/livez /readyz /livez', '  ']).toContain(asked.join(' '));
        // A pod that waits for Redis is not restarted: the back-off between restarts would outlast the wait.
        const { periodSeconds = 10, failureThreshold = 3 } = startupProbe ?? {};
        expect(periodSeconds * failureThreshold).toBeGreaterThanOrEqual(300);
        for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
          if (probe?.httpGet) expect(ports.map(({ name }) => name)).toContain(probe.httpGet.port);
        }
      }
    }
  });

  it('a replica is replaced when its successor is ready, and stops after it was removed from routing', () => {
    const manifests = rendered(overlay);
    for (const deployment of ofKind(manifests, 'Deployment')) {
      const { terminationGracePeriodSeconds = 30, containers } = podOf(deployment);
      expect(deployment.spec?.strategy?.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
      for (const { lifecycle, env = [] } of containers) {
        const seconds = (name: string) => Number(env.find((one) => one.name === name)?.value?.replace(/s$/, ''));
        const sleep = lifecycle?.preStop?.sleep?.seconds ?? 0;
        expect(sleep).toBeGreaterThanOrEqual(5);
        expect(seconds('SHUTDOWN_LINGER')).toBeGreaterThan(0);
        expect(terminationGracePeriodSeconds).toBeGreaterThan(sleep + seconds('SHUTDOWN_TIMEOUT') + 5);
      }
    }
  });

  it('every Deployment is scaled, and has at least two replicas', () => {
    const manifests = rendered(overlay);
    const deployments = ofKind(manifests, 'Deployment');
    const scaled = ofKind(manifests, 'HorizontalPodAutoscaler');
    expect(scaled.map(({ spec }) => `${spec?.scaleTargetRef.kind}/${spec?.scaleTargetRef.name}`).sort()).toEqual(
      names(deployments).map((name) => `Deployment/${name}`),
    );
    for (const { spec } of scaled) expect(spec?.minReplicas).toBeGreaterThanOrEqual(2);
    // A replica count of its own would undo the autoscaler's at every apply.
    for (const { spec } of deployments) expect(spec?.replicas).toBeUndefined();
    const budgets = ofKind(manifests, 'PodDisruptionBudget');
    for (const { spec } of deployments) {
      const labels = spec?.template.metadata?.labels;
      expect(budgets.filter((budget) => matches(budget.spec?.selector, labels))).toHaveLength(1);
    }
  });

  it('selectors match, and the ports of Services are those of the containers', () => {
    const manifests = rendered(overlay);
    const all = workloads(manifests);
    for (const { spec } of all) expect(matches(spec?.selector, spec?.template.metadata?.labels)).toBe(true);
    for (const { metadata, spec } of ofKind(manifests, 'Service')) {
      const behind = all.filter((one) =>
        matches({ matchLabels: spec?.selector ?? {} }, one.spec?.template.metadata?.labels),
      );
      expect(names(behind), 'one workload and no other').toEqual([metadata.name]);
      const ports = behind.flatMap((one) => podOf(one).containers.flatMap((container) => container.ports ?? []));
      for (const { port, targetPort } of spec?.ports ?? []) {
        expect(ports).toContainEqual({ name: targetPort, containerPort: port });
      }
    }
  });

  it('every referenced ConfigMap, Secret and ServiceAccount exists, and secrets are readable by their owner only', () => {
    const manifests = rendered(overlay);
    const [maps, secrets] = [names(ofKind(manifests, 'ConfigMap')), names(ofKind(manifests, 'Secret'))];
    const accounts = names(ofKind(manifests, 'ServiceAccount'));
    for (const { serviceAccountName, volumes = [] } of workloads(manifests).map(podOf)) {
      if (serviceAccountName) expect(accounts).toContain(serviceAccountName);
      for (const { configMap, secret, projected } of volumes) {
        if (configMap) expect(maps).toContain(configMap.name);
        if (secret) expect(secrets).toContain(secret.secretName);
        for (const source of projected?.sources ?? []) expect(secrets).toContain(source.secret?.name);
        if (secret ?? projected) expect((secret ?? projected)?.defaultMode).toBe(0o440);
      }
    }
  });

  it('the Ingress routes only the host of PUBLIC_URL, over TLS, to existing Services', () => {
    const manifests = rendered(overlay);
    const origin = ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.name.startsWith('origin-'));
    const { host } = new URL(origin?.data?.PUBLIC_URL ?? '');
    const [ingress, ...others] = ofKind(manifests, 'Ingress');
    expect(others).toEqual([]);
    expect(ingress?.spec?.tls).toEqual([{ hosts: [host], secretName: 'mcp-oauth-tls' }]);
    expect(ingress?.spec?.rules?.map((rule) => rule.host)).toEqual([host]);
    const services = names(ofKind(manifests, 'Service'));
    for (const { backend } of ingress?.spec?.rules?.[0]?.http?.paths ?? []) {
      expect(services).toContain(backend.service?.name);
      expect(backend.service?.port).toEqual({ name: 'http' });
    }
  });

  it("network policies name all allowed traffic of a pod, and exclude the cloud's metadata service", () => {
    const policies = ofKind(rendered(overlay), 'NetworkPolicy');
    expect(policies.map(({ spec }) => spec)).toContainEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    for (const { spec } of policies) {
      for (const { from = [], ports = [] } of spec?.ingress ?? []) {
        expect(from.length * ports.length, 'from somewhere, to a port').toBeGreaterThan(0);
        for (const peer of from) expect(Object.keys(peer)).not.toContain('ipBlock');
      }
      for (const { to = [], ports = [] } of spec?.egress ?? []) {
        expect(to.length * ports.length, 'to somewhere, on a port').toBeGreaterThan(0);
        for (const { ipBlock } of to) {
          if (!ipBlock) continue;
          for (const address of ['169.254.169.254', 'fd00:ec2::254']) {
            expect(within(address, [ipBlock.cidr]) && !within(address, ipBlock.except ?? []), address).toBe(false);
          }
        }
      }
    }
  });

  it('the metrics of every replica are readable from the Prometheus namespace only', () => {
    const manifests = rendered(overlay);
    for (const deployment of ofKind(manifests, 'Deployment')) {
      for (const { env, ports } of podOf(deployment).containers) {
        const port = Number(env?.find(({ name }) => name === 'METRICS_PORT')?.value);
        expect(ports).toContainEqual({ name: 'metrics', containerPort: port });
        const served = ofKind(manifests, 'Service').flatMap(({ spec }) => spec?.ports ?? []);
        expect(served.map(({ targetPort }) => targetPort)).not.toContain('metrics');
        const readers = ofKind(manifests, 'NetworkPolicy')
          .filter(({ spec }) => matches(spec?.podSelector, deployment.spec?.template.metadata?.labels))
          .flatMap(({ spec }) => spec?.ingress ?? [])
          .filter((rule) => rule.ports?.some((one) => one.port === 'metrics' || one.port === port));
        const namespace = { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } };
        expect(readers).toEqual([{ from: [{ namespaceSelector: namespace }], ports: [{ port: 'metrics' }] }]);
      }
    }
  });

  it.each(Object.keys(secretsOf(overlay)))('the overlay is not built without %s, and the error names it', (missing) => {
    const { [missing]: _, ...others } = secretsOf(overlay);
    expect(() => render(`overlays/${overlay}`, others)).toThrow(missing);
  });
});

const family = (address: string) => (address.includes(':') ? 'ipv6' : 'ipv4');

function within(address: string, ranges: readonly string[]): boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    if (family(network) === family(address)) list.addSubnet(network, Number(bits), family(network));
  }
  return list.check(address, family(address));
}

describe('base', () => {
  it('the base is valid by the schemas of Kubernetes', () => {
    expect(schemaViolations(render('base', {}))).toEqual([]);
  });
});

describe('overlays/example', () => {
  it('the Ingress routes as the gateway of docker-compose.yml does', () => {
    const gateway = readFileSync(new URL('../deploy/gateway/haproxy.cfg', import.meta.url), 'utf8');
    const listed = (acl: string) =>
      new RegExp(`^\\s*acl mcp ${acl} -i (.*)$`, 'm').exec(gateway)?.[1]?.split(' ') ?? [];
    const table = [...listed('path'), ...listed('path_beg').map((start) => `${start}*`)];
    expect(table).toContain('/mcp');
    const [ingress] = ofKind(rendered('example'), 'Ingress');
    const paths = ingress?.spec?.rules?.[0]?.http?.paths ?? [];
    const to = (service: string) =>
      paths
        .filter(({ backend }) => backend.service?.name === service)
        .map(({ path = '', pathType }) => (pathType === 'Prefix' ? `${path.replace(/\/$/, '')}/*` : path));
    expect(to('auth-server')).toEqual(['/*']);
    // A Prefix matches the path itself, too.
    const routed = to('mcp-server').flatMap((path) => (path.endsWith('/*') ? [path.slice(0, -2), path] : path));
    const suffixed = routed.filter((path) =>
      /^\/\.well-known\/(oauth-authorization-server|openid-configuration)\/(mcp|sse)$/.test(path),
    );
    expect(suffixed).toHaveLength(4);
    expect(routed.filter((path) => !suffixed.includes(path)).sort()).toEqual(table.sort());
  });
});

describe('components/redis', () => {
  it("each Redis has a memory limit below its container's, and admits one service only", () => {
    const manifests = rendered('trial');
    const redis = ofKind(manifests, 'StatefulSet');
    expect(names(redis)).toEqual(['redis', 'redis-authorization']);
    for (const set of redis) {
      const [container] = podOf(set).containers;
      const bound = container?.env?.find(({ name }) => name === 'REDIS_MAXMEMORY')?.value;
      expect([bound, container?.resources?.limits?.memory]).toEqual(['384mb', '512Mi']);
      const callers = ofKind(manifests, 'NetworkPolicy')
        .filter(({ spec }) => matches(spec?.podSelector, set.spec?.template.metadata?.labels))
        .flatMap(({ spec }) => spec?.ingress ?? [])
        .flatMap(({ from = [] }) => from.map(({ podSelector }) => podSelector?.matchLabels));
      const service = set.metadata?.name === 'redis' ? 'mcp-server' : 'auth-server';
      expect(callers).toEqual([{ 'app.kubernetes.io/name': service }]);
    }
  });
});

describe('components/pod-monitor', () => {
  it('the PodMonitor leads to the metrics of each replica, under the job that the alerts name', () => {
    const overlay = `resources: [../example]\ncomponents: [../../components/pod-monitor]\n`;
    const manifests = render('overlays/watched', {
      ...secretsOf('example'),
      'watched/kustomization.yaml': overlay,
    });
    const [monitor] = manifests.filter(({ kind }) => kind === 'PodMonitor');
    const { spec } = monitor as unknown as { spec: { jobLabel: string; selector: LabelSelector } };
    expect(spec).toMatchObject({ podMetricsEndpoints: [{ port: 'metrics' }] });
    const labels = workloads(manifests).map((one) => one.spec?.template.metadata?.labels ?? {});
    const jobs = labels.filter((one) => matches(spec.selector, one)).map((one) => one[spec.jobLabel]);
    expect(jobs).toEqual(['auth-server', 'mcp-server']);
  });
});

/** Node trusts the authority of the cluster, and NODE_EXTRA_CA_CERTS, which has one file, stays free for one of the operator. */
function expectTrust(env: readonly EnvVar[] = [], mountPath: string): void {
  expect(env.map(({ name }) => name)).not.toContain('NODE_EXTRA_CA_CERTS');
  const cluster = mkdtempSync(join(tmpdir(), 'cluster-ca-'));
  copyFileSync(CERTIFICATE, join(cluster, 'ca.crt'));
  const values = env.map(({ name, value = '' }) => [name, value.replace(mountPath, cluster)]);
  const print = `tls.getCACertificates('default').map((one) => new (require('crypto').X509Certificate)(one).fingerprint256).join()`;
  const trusted = execFileSync(process.execPath, ['-p', print], {
    env: Object.fromEntries(values),
    encoding: 'utf8',
  });
  rmSync(cluster, { recursive: true });
  expect(trusted.trim().split(',')).toContain(new X509Certificate(readFileSync(CERTIFICATE)).fingerprint256);
}

describe('components/cluster-keys', () => {
  it('mcp-server has a renewed token for the API server, its certificate authority, and a way to it', () => {
    const overlay = `resources: [../existing-issuer]\ncomponents: [../../components/cluster-keys]\n`;
    const manifests = render('overlays/cluster', {
      ...secretsOf('existing-issuer'),
      'cluster/kustomization.yaml': overlay,
    });
    expect(schemaViolations(manifests)).toEqual([]);
    const [pod] = ofKind(manifests, 'Deployment').map(podOf);
    const [container] = pod?.containers ?? [];
    const { mountPath = '' } = container?.volumeMounts?.find(({ name }) => name === 'cluster') ?? {};
    expectTrust(container?.env, mountPath);
    expect(pod?.automountServiceAccountToken).toBe(false);
    expect(pod?.volumes?.find(({ name }) => name === 'cluster')?.projected).toEqual({
      defaultMode: 0o440,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3600, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      ],
    });
    const own = ofKind(manifests, 'NetworkPolicy').find(({ metadata }) => metadata.name === 'cluster-keys');
    expect(own?.spec?.podSelector).toEqual({ matchLabels: { 'app.kubernetes.io/name': 'mcp-server' } });
    const [rule] = own?.spec?.egress ?? [];
    expect(rule?.ports).toEqual([{ port: 443 }, { port: 6443 }]);
    const reached = (address: string) =>
      (rule?.to ?? []).some(
        ({ ipBlock }) => ipBlock && within(address, [ipBlock.cidr]) && !within(address, ipBlock.except ?? []),
      );
    expect(['10.96.0.1', '169.254.169.254', 'fd00:ec2::254'].map(reached)).toEqual([true, false, false]);
  });
});

describe('components/cluster-workloads', () => {
  it('auth-server has the certificate authority of the cluster and a way to its API server, and no token', () => {
    const overlay = `resources: [../example]\ncomponents: [../../components/cluster-workloads]\n`;
    const manifests = render('overlays/pods', { ...secretsOf('example'), 'pods/kustomization.yaml': overlay });
    expect(schemaViolations(manifests)).toEqual([]);
    const deployments = ofKind(manifests, 'Deployment');
    const [pod, other] = ['auth-server', 'mcp-server'].map((name) =>
      podOf(deployments.find(({ metadata }) => metadata.name === name) ?? {}),
    );
    const [container] = pod?.containers ?? [];
    const { mountPath = '' } = container?.volumeMounts?.find(({ name }) => name === 'cluster') ?? {};
    expectTrust(container?.env, mountPath);
    expect(pod?.volumes).toContainEqual({ name: 'cluster', configMap: { name: 'kube-root-ca.crt' } });
    expect([pod?.automountServiceAccountToken, other?.volumes?.length]).toEqual([false, 1]);
    const own = ofKind(manifests, 'NetworkPolicy').find(({ metadata }) => metadata.name === 'cluster-workloads');
    expect(own?.spec?.podSelector).toEqual({ matchLabels: { 'app.kubernetes.io/name': 'auth-server' } });
    expect(own?.spec?.egress?.map(({ ports }) => ports)).toEqual([[{ port: 443 }, { port: 6443 }]]);
  });
});

describe('overlays/existing-issuer', () => {
  it('existing-issuer contains nothing of auth-server', () => {
    const manifests = rendered('existing-issuer');
    expect(JSON.stringify(manifests)).not.toContain('auth-server');
    expect(names(ofKind(manifests, 'Deployment'))).toEqual(['mcp-server']);
  });
});

describe('the schema check', () => {
  const valid = () => rendered('trial');
  const edited = (find: string, replace: string) => {
    const text = JSON.stringify(valid());
    expect(text).toContain(find);
    return schemaViolations(JSON.parse(text.replace(find, replace))).join('\n');
  };

  it.each([
    ['a field that is not there', '"readOnlyRootFilesystem"', '"readOnlyRootFileSystem"', /does not exist in type/],
    ['a wrong type', '"containerPort":9000', '"containerPort":"9000"', /not assignable to type 'number'/],
    ['a missing field', '"maxReplicas":10,', '', /'maxReplicas' is missing/],
    ['a kind that is not there', '"kind":"PodDisruptionBudget"', '"kind":"DisruptionBudget"', /DisruptionBudget/],
    ['a version that is gone', '"policy/v1"', '"policy/v1beta1"', /policy\/v1beta1/],
  ])('the schema check refuses %s', (_, find, replace, complaint) => {
    expect(edited(find, replace)).toMatch(complaint);
  });
});
