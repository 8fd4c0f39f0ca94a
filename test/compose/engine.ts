/**
 * Owns that there is a Docker engine for the compose project: where none answers, CI makes one, and anybody else is told. It
 * never leaves the project out.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../.ci/docker.sh', import.meta.url));

/** What the compose files, the Dockerfile and docs/deployment.md name. */
const IMAGES = ['node:24-slim', 'redis:8', 'caddy:2', 'nginx:1.26', 'prom/prometheus:v3.5.0'];

const answers = (): boolean =>
  spawnSync('docker', ['version', '--format', '{{.Server.Version}}']).status === 0 &&
  spawnSync('docker', ['compose', 'version']).status === 0;

/** Run once, before the first test; what it gives back runs after the last. */
export default function setup(): (() => void) | undefined {
  if (answers()) return undefined;
  if (process.env.CI !== 'true') {
    throw new Error(
      'test:compose needs a Docker engine with compose: start one, or set CI=true to have .ci/docker.sh make one',
    );
  }
  execFileSync('bash', [SCRIPT, 'up', ...IMAGES], { stdio: 'inherit' });
  return () => {
    execFileSync('bash', [SCRIPT, 'down'], { stdio: 'inherit' });
  };
}
