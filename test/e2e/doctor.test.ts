/**
 * Proves `npm run doctor` as an operator runs it, against the real processes: no fault without a token, none after a sign-in, and none
 * as any of the clients that it can imitate.
 */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Person } from '../support/person.ts';
import { ROOT, Stack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack?.[Symbol.asyncDispose]());

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
}

/** @param onError called with everything that was written to standard error so far */
function doctor(args: readonly string[], onError: (text: string) => void = () => {}): Promise<Ran> {
  const child = spawn('npm', ['run', '-s', 'doctor', '--', ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
    onError(stderr);
  });
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, stdout })));
}

/** Opens the printed URL once, as a person in a browser. */
function signingIn(): { readonly onError: (text: string) => void; readonly finished: () => Promise<unknown> } {
  let finished: Promise<unknown> | undefined;
  const signIn = async (url: string) => {
    const redirectUri = new URL(url).searchParams.get('redirect_uri') ?? '';
    return fetch(await new Person().signIn(url, redirectUri));
  };
  return {
    onError: (text) => {
      const [, url] = /^ {2}(http\S+)\n/m.exec(text) ?? [];
      if (url) finished ??= signIn(url);
    },
    finished: async () => finished,
  };
}

const outcomes = (stdout: string): Readonly<Record<string, string>> =>
  Object.fromEntries([...stdout.matchAll(/^ {2}(\S) ([a-z -]+?) {2,}/gm)].map(([, mark, step]) => [step, mark]));

describe('npm run doctor', () => {
  it.each(['/mcp', '/sse'])('the stack of npm start has no fault without a token, at %j', async (path) => {
    const { status, stdout } = await doctor([`${stack.mcpUrl}${path}`]);
    expect(Object.values(outcomes(stdout)).join(''), stdout).toBe('✓✓✓✓✓✓✓✓✓✓✓✓------');
    expect(status).toBe(0);
  });

  it('RFC 8252 §7.3 --login signs a person in on a loopback redirect, calls a tool, and every step passes', async () => {
    const person = signingIn();
    const line = [`${stack.mcpUrl}/mcp`, '--login', '--no-browser', '--call', 'sum', '--arguments', '{"a":1,"b":2}'];
    const { status, stdout } = await doctor(line, person.onError);
    await person.finished();
    expect(Object.values(outcomes(stdout)).join(''), stdout).toBe('✓'.repeat(18));
    expect(stdout).toMatch(/sign-in +the official SDK signed in and lists \d+ tools; sum answers: .*3/);
    expect(stdout).toMatch(/initialize +mcp-oauth-server speaks 2025-11-25, 2026-07-28/);
    expect(stdout).toMatch(/\nNo fault: clients can connect\.\n$/);
    expect(stdout).not.toMatch(/eyJ/);
    expect(status).toBe(0);
  });

  it.each(['cursor', 'vscode', 'claude', 'chatgpt', 'codex'])('the stack has no fault for %s', async (client) => {
    const { status, stdout } = await doctor([`${stack.mcpUrl}/mcp`, '--as', client, '--json']);
    const { healthy, steps } = JSON.parse(stdout);
    expect([status, healthy], stdout).toEqual([0, true]);
    const registration = steps.find(({ step }: { step: string }) => step === 'registration');
    expect(registration.says).toMatch(/ registered, /);
  });

  it('web pages of an origin that is not in ALLOWED_ORIGINS are noted, which is no fault', async () => {
    const { status, stdout } = await doctor([`${stack.mcpUrl}/mcp`, '--origin', 'https://app.example.com']);
    expect(stdout).toMatch(/! page +Web pages of https:\/\/app\.example\.com are refused with 403/);
    expect(status).toBe(0);
  });

  it('a URL that is no MCP endpoint ends with 1, and the endpoint beside it is named', async () => {
    const { status, stdout } = await doctor([stack.mcpUrl]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/✗ answer .*\n +→ Use http:.*\/mcp, which is one\./);
    expect(stdout).toMatch(/\nYou have to act, as the user of the client: answer\.\n$/);
  });
});
