/** Proves that the list of base images is complete, and that versions are compared as numbers. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SECURITY_RELEASES } from '@mcp-oauth/shared/start/security-release';
import { describe, expect, it } from 'vitest';
import { baseImages, isAtLeast, versionIn } from '../release/base-images.ts';

const cwd = fileURLToPath(new URL('../..', import.meta.url));

describe('deploy/base-images.json', () => {
  it('deploy/base-images.json lists every image that the Dockerfile, compose and Kubernetes start from', () => {
    const files = globSync(['Dockerfile', 'docker-compose.yml', 'deploy/{compose,kubernetes}/**/*.{yml,yaml}'], {
      cwd,
    });
    const named = files.flatMap((file) =>
      [
        ...readFileSync(`${cwd}${file}`, 'utf8').matchAll(/(?:image: |ARG BASE=)(?:"?\$\{\w+:-)?([\w./-]+:[\w.-]+)/g),
      ].map(([, image]) => image),
    );
    expect(named.length).toBeGreaterThan(3);
    expect([...new Set(named)].sort()).toEqual(Object.keys(baseImages).sort());
  });

  it('deploy/base-images.json requires the Node.js security release below which the services warn at start', () => {
    expect(SECURITY_RELEASES).toContain(baseImages['node:24-slim']?.minimum);
  });
});

describe('versions of base images', () => {
  it.each([
    ['24.22.1', '24.22.1', true],
    ['24.22.3', '24.22.1', true],
    ['24.100.0', '24.22.1', true],
    ['25.0.0', '24.22.1', true],
    ['24.21.0', '24.22.1', false],
    ['24.9.9', '24.22.1', false],
    ['8.10.0', '8.6.3', true],
  ])('version %s is at least %s: %s', (version, minimum, verdict) => expect(isAtLeast(version, minimum)).toBe(verdict));

  it.each([
    ['v2.11.4 h1:abc=', '2.11.4'],
    ['Redis server v=8.0.2 sha=00000000:1 malloc=jemalloc', '8.0.2'],
    ['prometheus, version 3.5.0 (branch: HEAD)', '3.5.0'],
    ['unknown', undefined],
  ])('the version is found in the output %j', (said, version) => expect(versionIn(said)).toBe(version));
});
