/** Owns runs of the client in this process, as one person at one terminal, with a folder of its own for tokens. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@mcp-oauth/shared/clock';
import { createOutgoingFetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { type Ran, run } from '@mcp-oauth/shared/testing/terminal';
import { limitedFetch } from '../../src/limited-fetch.ts';
import { readSecretIn } from '../../src/sign-in/client/secret.ts';
import { terminalCommands, withCommandFirst } from '../../src/terminal/commands.ts';
import { perform } from '../../src/terminal/perform.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A process of its own. */
export function spawned(args: readonly string[], { config }: Pick<Person, 'config'>): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env.PATH, XDG_CONFIG_HOME: config },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      written[name] += chunk;
    });
  }
  return new Promise((resolve) => child.once('close', (status) => resolve({ status: status ?? -1, ...written })));
}

/** So that a test need not send the usual limit. */
export const MOST_BYTES = 100_000;

export interface Person extends Disposable {
  /** What XDG_CONFIG_HOME is. */
  readonly config: string;
  /** The paths of the token files. */
  files(): readonly string[];
  /** The milliseconds that the client has waited; they pass at once. */
  readonly waited: readonly number[];
  /** @param browse is given the URL that the browser opens */
  client(line: string, input?: readonly string[], browse?: (url: URL) => void): Promise<Ran>;
  /** Further variables. */
  env: Readonly<Record<string, string>>;
  /** Whether the person sits at a terminal; otherwise the input is a file. */
  isPresent: boolean;
  /** Characters in a line of the terminal that shows standard error; 0: it is not a terminal. */
  columns: number;
  /** Resolves when the person presses Ctrl-C. */
  interrupted: Promise<void>;
  /** Called when a line is asked for and `input` has no more of them; without it the input ends there. */
  readLine: () => Promise<string | undefined>;
}

export function newPerson(): Person {
  const config = mkdtempSync(join(tmpdir(), 'mcp-client-'));
  const waited: number[] = [];
  const now = () => systemClock.now() + waited.reduce((sum, milliseconds) => sum + milliseconds, 0);
  const person: Person = {
    config,
    waited,
    env: {},
    isPresent: false,
    columns: 0,
    interrupted: new Promise(() => {}),
    readLine: async () => undefined,
    files: () => readdirSync(join(config, 'mcp-oauth-client')).map((name) => join(config, 'mcp-oauth-client', name)),
    client: (line, input = [], browse = () => {}) => {
      const lines = [...input];
      const commands = terminalCommands((task) =>
        perform(task, {
          signIn: (env) => ({
            secret: readSecretIn(env),
            fetch: limitedFetch(createOutgoingFetch(), MOST_BYTES),
            openBrowser: browse,
            now,
            wait: async (milliseconds) => {
              waited.push(milliseconds);
            },
          }),
          home: config,
          version: '1.0.0',
          unique: randomUUID,
          isTerminal: person.columns > 0,
          columns: person.columns,
          isPresent: person.isPresent,
          readLine: async () => (lines.length > 0 ? lines.shift() : person.readLine()),
          readFile: async () => input.join('\n'),
          interrupted: () => person.interrupted,
        }),
      );
      const words = withCommandFirst(
        line.split(' '),
        commands.map(({ name }) => name),
      );
      return run({ name: 'client', summary: 'A client.', commands }, words.join(' '), {
        ...person.env,
        XDG_CONFIG_HOME: config,
      });
    },
    [Symbol.dispose]: () => rmSync(config, { recursive: true, force: true }),
  };
  return person;
}
