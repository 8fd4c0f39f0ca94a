/**
 * Ensures that the compose tests have a Docker engine: where none answers, CI starts one, and a developer gets an
 * error. The tests are never skipped.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { removeLeftovers } from './leftovers.ts';

const SCRIPT = fileURLToPath(new URL('../../tools/docker.sh', import.meta.url));

/** The images that the compose files, the Dockerfile and docs/deployment.md name. */
const IMAGES = ['node:24-slim', 'redis:8', 'haproxy:3.0', 'caddy:2', 'nginx:1.26', 'prom/prometheus:v3.5.0'];

const answers = (): boolean =>
  spawnSync('docker', ['version', '--format', '{{.Server.Version}}']).status === 0 &&
  spawnSync('docker', ['compose', 'version']).status === 0;

/** Run once before the first test; the returned function runs after the last. */
export default function setup(): (() => void) | undefined {
  if (answers()) {
    removeLeftovers();
    return undefined;
  }
  if (process.env.CI !== 'true') {
    throw new Error(
      'test:compose needs a Docker engine with compose: start one, or set CI=true to have tools/docker.sh make one',
    );
  }
  execFileSync('bash', [SCRIPT, 'up', ...IMAGES], { stdio: 'inherit' });
  removeLeftovers();
  return () => {
    execFileSync('bash', [SCRIPT, 'down'], { stdio: 'inherit' });
  };
}
