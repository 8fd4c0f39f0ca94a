/** Owns one running set-up of docker compose in a copy of the tree, as a stranger has it: no .env, README's commands. */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** What a command says can be long: a build. */
const LONG = { maxBuffer: 64 * 1024 * 1024, encoding: 'utf8' } as const;

export class Composed implements AsyncDisposable {
  readonly project: string;
  readonly url = 'http://localhost:8080';
  /** The copy that everything is run in. */
  readonly folder: string;
  readonly #env: NodeJS.ProcessEnv;

  /** @param env what the shell of the stranger has set */
  constructor(project: string, env: NodeJS.ProcessEnv = {}) {
    this.project = project;
    this.folder = copyOfTree();
    const { PATH, HOME } = process.env;
    this.#env = { PATH, HOME, COMPOSE_PROJECT_NAME: project, COMPOSE_PROGRESS: 'plain', ...env };
  }

  /** Runs a line of README in a shell; gives back all that it says. */
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

  /** Names of the containers of a service, in order. */
  async containers(service: string): Promise<string[]> {
    const names = await this.compose('ps', '--format', '{{.Name}}', service);
    return names.split('\n').filter(Boolean).sort();
  }

  async inspect<T>(container: string, format: string): Promise<T> {
    return JSON.parse(await this.docker('inspect', '--format', `{{json ${format}}}`, container)) as T;
  }

  /** The newest lines of everybody's log, for whoever looks for the reason of a failure. */
  logs(lines = 40): Promise<string> {
    return this.compose('logs', '--tail', String(lines));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.compose('down', '--volumes', '--remove-orphans', '--timeout', '5');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The files that are, or would be, in the repository: what a clone has. */
function copyOfTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-oauth-compose-'));
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: ROOT, ...LONG });
  for (const file of listed.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)))) {
    cpSync(join(ROOT, file), join(folder, file));
  }
  return folder;
}
