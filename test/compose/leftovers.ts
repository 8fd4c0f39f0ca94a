/**
 * Removes what an interrupted run of the compose tests left on the Docker engine. Its containers have a restart policy,
 * so they start again with the engine and hold the ports that the tests publish.
 */
import { execFileSync } from 'node:child_process';
import process from 'node:process';

/**
 * The project of a user is `mcp-oauth`, and its networks and volumes are `mcp-oauth_…`: they never match. Neither does
 * a run at another port, whose projects end with the port.
 */
const { HTTP_PORT } = process.env;
const OURS = HTTP_PORT ? new RegExp(`^mcp-oauth-.*-${HTTP_PORT}\\b`) : /^mcp-oauth-(?!.*-\d{2,5}\b)/;

const docker = (...words: string[]): string => execFileSync('docker', words, { encoding: 'utf8' });

const lines = (...words: string[]): string[] =>
  docker(...words)
    .split('\n')
    .filter(Boolean);

/** Runs before the first test. */
export function removeLeftovers(): void {
  // A container of `docker run` has no project and is found by its name.
  const format = '{{.ID}} {{or (.Label "com.docker.compose.project") .Names}}';
  const containers = lines('ps', '--all', '--format', format).map((line) => line.split(' '));
  remove(
    ['rm', '--force', '--volumes'],
    containers.filter(([, owner = '']) => OURS.test(owner)).map(([id = '']) => id),
  );
  for (const kind of ['network', 'volume']) {
    remove(
      [kind, 'rm'],
      lines(kind, 'ls', '--format', '{{.Name}}').filter((name) => OURS.test(name)),
    );
  }
}

function remove(command: readonly string[], names: readonly string[]): void {
  if (names.length > 0) docker(...command, ...names);
}
