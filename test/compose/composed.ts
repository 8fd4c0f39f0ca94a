/** Owns one running docker compose project in a copy of the tree, as a new user has it: no .env, README's commands. */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** The output of a command, such as a build, can be long. */
const LONG = { maxBuffer: 64 * 1024 * 1024, encoding: 'utf8' } as const;

/** A running container. */
export interface Running {
  readonly name: string;
  readonly service: string;
  /** Absent where the image has no health check. */
  readonly health: string | undefined;
  /** Addresses on this machine, as `127.0.0.1:8080`. */
  readonly published: readonly string[];
}

interface Inspected {
  readonly Name: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
  readonly State: { readonly Health?: { readonly Status: string } };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>;
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

export class Composed implements AsyncDisposable {
  readonly project: string;
  /** The one public origin; the ports are README's unless another process uses them. */
  readonly url = `http://localhost:${process.env.HTTP_PORT ?? '8080'}`;
  /** The copy in which every command runs. */
  readonly folder: string;
  readonly #env: NodeJS.ProcessEnv;

  /** @param env variables that the user's shell has set */
  constructor(project: string, env: NodeJS.ProcessEnv = {}) {
    // Two projects at different ports do not affect each other.
    this.project = process.env.HTTP_PORT ? `${project}-${process.env.HTTP_PORT}` : project;
    this.folder = copyOfTree();
    const { PATH, HOME, HTTP_PORT, DEVELOPMENT_IDP_PORT } = process.env;
    this.#env = {
      PATH,
      HOME,
      HTTP_PORT,
      DEVELOPMENT_IDP_PORT,
      COMPOSE_PROJECT_NAME: this.project,
      COMPOSE_PROGRESS: 'plain',
      ...env,
    };
  }

  /** Writes a file in the copy. */
  write(path: string, content: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), content);
  }

  /** Runs a line of README in a shell and returns its output. */
  async sh(line: string): Promise<string> {
    const { stdout, stderr } = await run('sh', ['-ec', line], { cwd: this.folder, env: this.#env, ...LONG });
    return stdout + stderr;
  }

  compose(...words: string[]): Promise<string> {
    return this.docker('compose', ...words);
  }

  async docker(...words: string[]): Promise<string> {
    return (await run('docker', words, { cwd: this.folder, env: this.#env, ...LONG })).stdout.trim();
  }

  /** Names of the containers of one service or of all, in order. */
  async containers(service = ''): Promise<string[]> {
    const names = await this.compose('ps', '--format', '{{.Name}}', ...(service ? [service] : []));
    return names.split('\n').filter(Boolean).sort();
  }

  async inspect<T>(container: string, format: string): Promise<T> {
    return JSON.parse(await this.docker('inspect', '--format', `{{json ${format}}}`, container)) as T;
  }

  /** Runs a line with `sh` and returns the seconds it took. */
  async timed(line: string): Promise<number> {
    const began = performance.now();
    await this.sh(line);
    return (performance.now() - began) / 1000;
  }

  /** Runs a line that may fail and returns its exit code and standard output. */
  attempt(line: string): Promise<{ readonly code: number; readonly said: string }> {
    return run('sh', ['-c', line], { cwd: this.folder, env: this.#env, ...LONG }).then(
      ({ stdout }) => ({ code: 0, said: stdout }),
      ({ code, stdout }: { code: number; stdout: string }) => ({ code, said: stdout }),
    );
  }

  async running(): Promise<readonly Running[]> {
    return (await this.#inspected()).map(({ Name, Config, State, NetworkSettings }) => ({
      name: Name.slice(1),
      service: Config.Labels['com.docker.compose.service'] ?? '',
      health: State.Health?.Status,
      published: Object.values(NetworkSettings.Ports).flatMap((bound) =>
        (bound ?? []).map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}`),
      ),
    }));
  }

  /** Address of the first container of a service in one of its networks. */
  async addressOf(service: string): Promise<string> {
    const [{ NetworkSettings } = { NetworkSettings: { Networks: {} } }] = await this.#inspected(service);
    const [network] = Object.values(NetworkSettings.Networks);
    return network?.IPAddress ?? '';
  }

  async #inspected(service = ''): Promise<readonly Inspected[]> {
    return JSON.parse(await this.docker('inspect', ...(await this.containers(service))));
  }

  /** The newest lines of all logs, for the message of a failed test. */
  logs(lines = 40): Promise<string> {
    return this.compose('logs', '--tail', String(lines));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.compose('down', '--volumes', '--remove-orphans', '--timeout', '5');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The files that a clone of the repository has: those that are committed or would be. */
function copyOfTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-oauth-compose-'));
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: ROOT, ...LONG });
  for (const file of listed.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)))) {
    cpSync(join(ROOT, file), join(folder, file));
  }
  return folder;
}
