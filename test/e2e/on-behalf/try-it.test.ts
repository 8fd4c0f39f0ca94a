/** Proves that "Try it with your GitHub account" of docs/on-behalf.md runs as it stands there, with a stand-in for GitHub. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Person } from '../../support/person.ts';
import { ROOT } from '../../support/stack.ts';
import { type GithubApp, githubApp } from '../github-apps.ts';
import { connect } from './callers.ts';

const [section = ''] = readFileSync(join(ROOT, 'docs/on-behalf.md'), 'utf8').split('\n## Try it').slice(1);
const [setUp = '', commands = ''] = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
const START = 'npm start\n';

/** What stands in the root of the repository, without a .env. */
const PROGRAMS = ['node_modules', 'scripts', 'shared', 'auth-server', 'mcp-server', 'development-idp', 'client'];

let github: GithubApp;
let folder = '';
const ports = { mcp: 0, auth: 0, idp: 0 };

beforeAll(async () => {
  github = await githubApp();
  folder = mkdtempSync(join(tmpdir(), 'mcp-oauth-try-it-'));
  for (const name of PROGRAMS) symlinkSync(join(ROOT, name), join(folder, name));
  copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  const [mcp = 0, auth = 0, idp = 0] = await freePorts(3);
  Object.assign(ports, { mcp, auth, idp });
  // Nobody sits here: the test opens the pages.
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/xdg-open'), '#!/bin/sh\n');
  chmodSync(join(folder, 'bin/xdg-open'), 0o755);
});
beforeEach((context) =>
  context.skip(spawnSync('script', ['--version']).status !== 0, 'needs script of util-linux, for a terminal'),
);
afterAll(async () => {
  await github?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const here = (text: string): string =>
  text
    .replaceAll('localhost:8080', `localhost:${ports.mcp}`)
    .replace('CLIENT_ID=…', `CLIENT_ID=${github.clientId}`)
    .replace('CLIENT_SECRET=…', `CLIENT_SECRET='${github.clientSecret}'`);

const environment = () => ({
  PATH: `${folder}/bin:${process.env.PATH}`,
  HOME: folder,
  XDG_CONFIG_HOME: join(folder, 'config'),
});

/** A line of the page in a terminal. @param onOutput called with everything that was written so far, and a way to type */
async function inTerminal(line: string, onOutput: (text: string, type: (text: string) => void) => void) {
  const child = spawn('script', ['-qefc', here(line), '/dev/null'], { cwd: folder, env: environment(), stdio: 'pipe' });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString().replaceAll('\r', '');
    onOutput(said, (text) => child.stdin.write(text));
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${line} ended with ${code}:\n${said}`);
  return said;
}

it('RFC 8693 §2.1 its commands make the key and the policy, start the services, and call github_profile as Alice', async () => {
  expect(setUp.endsWith(START)).toBe(true);
  execFileSync('bash', ['-ec', here(setUp.slice(0, -START.length))], { cwd: folder, env: environment() });
  const modes = ['.data', '.data/exchange-key', '.env'].map((name) => statSync(join(folder, name)).mode & 0o077);
  expect(modes).toEqual([0, 0, 0]);
  // What differs here: the place, the ports, and where GitHub is.
  const others = {
    DATA_DIR: join(folder, '.data'),
    PUBLIC_URL: `http://localhost:${ports.mcp}`,
    ISSUER: `http://localhost:${ports.auth}`,
    DEVELOPMENT_IDP_URL: `http://localhost:${ports.idp}`,
    CONNECTOR_GITHUB_BASE_URL: github.url,
    CONNECTOR_GITHUB_API_URL: `${github.url}/api`,
    UPSTREAM_GITHUB_URL: `${github.url}/api`,
  };
  const lines = Object.entries(others).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(folder, '.env'), lines.join(''), { flag: 'a' });

  // A group of its own, so that one signal reaches all as from a terminal.
  const started = spawn('npm', ['start'], { cwd: folder, env: environment(), stdio: 'pipe', detached: true });
  let said = '';
  const ended = new Promise((resolve) => started.once('close', resolve));
  try {
    await new Promise<void>((resolve, reject) => {
      for (const stream of [started.stdout, started.stderr])
        stream.on('data', (chunk: Buffer) => {
          said += chunk;
          if (said.includes('Ctrl-C stops everything.')) resolve();
        });
      void ended.then(() => reject(new Error(said)));
    });
    const alice = new Person();
    const [login = '', call = ''] = commands.trim().split('\n');
    let signedIn: Promise<unknown> | undefined;
    await inTerminal(login, (text) => {
      const [, url] = /^ {2}(http\S+)\n/m.exec(text) ?? [];
      if (!url) return;
      const back = new URL(url).searchParams.get('redirect_uri') ?? '';
      signedIn ??= alice.signIn(url, back).then((to) => fetch(to));
    });
    await signedIn;
    let connected: Promise<unknown> | undefined;
    const answer = await inTerminal(call, (text, type) => {
      const [, url] = /^ {2}URL: {2}(http\S+)\n[\s\S]*\[y\/N\]/m.exec(text) ?? [];
      if (!url || connected) return;
      type('y\n');
      // Enter: it is done.
      connected = connect(alice, url, /Alice/).then(() => type('\n'));
    });
    await connected;
    expect(answer).toContain('(octocat) at GitHub');
    expect(github.asked.at(-1)?.get('scope')).toBe('read:user');
    expect(github.asked.at(-1)?.get('redirect_uri')).toBe(`http://localhost:${ports.auth}/callback/github`);
  } finally {
    if (started.exitCode === null) process.kill(-Number(started.pid), 'SIGINT');
    await ended;
  }
});
