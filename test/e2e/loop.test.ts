/**
 * Proves the complete flow: real processes, real clients, a real browser; from the first 401 to tool calls, a refresh,
 * a wider scope, and a restart of everything after which no person has to sign in again.
 */
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';
import type { BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deny, signIn, useBrowser } from '../support/browser.ts';
import { ClientState } from '../support/client-state.ts';
import { type Connected, type Driver, drivers } from '../support/drivers.ts';
import { Stack } from '../support/stack.ts';

const TOOLS = ['confirm', 'countdown', 'echo', 'server_status', 'stock_price', 'sum', 'whoami'];

describe('the complete sign-in and tool call', () => {
  let stack: Stack;
  let callback: TestServer;
  /** Codes and tokens that the clients were given. */
  const secrets = new Set<string>();

  beforeAll(async () => {
    callback = await serve((_, res) => res.end('You can close this window.'));
    stack = await Stack.start({ LOG_LEVEL: 'debug' });
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await callback?.close();
  });
  const browser = useBrowser();

  const newPerson = (): Promise<BrowserContext> => browser().newContext();
  const newState = () => new ClientState(`${callback.url}/callback`);

  /** Connects; where the client needs a browser, signs in with it and connects again. */
  async function connect(driver: Driver, state: ClientState, person: BrowserContext): Promise<Connected> {
    const url = new URL(stack.mcpUrl + driver.path);
    try {
      return await driver.connect(url, state);
    } catch (error) {
      if (!driver.isUnauthorized(error)) throw error;
      await authorize(driver, state, person);
      return driver.connect(url, state);
    }
  }

  async function authorize(driver: Driver, state: ClientState, person: BrowserContext): Promise<void> {
    const answer = await signIn(person, state.takeAuthorizationUrl());
    expect(answer.searchParams.get('state')).toBe(state.expectedState);
    expect(answer.searchParams.get('iss'), 'RFC 9207 §2 iss').toBe(stack.authUrl);
    await driver.finish(new URL(stack.mcpUrl + driver.path), state, answer);
    const { access_token = '', refresh_token = '' } = state.stored.tokens ?? {};
    for (const secret of [answer.searchParams.get('code') ?? '', access_token, refresh_token]) secrets.add(secret);
  }

  it.each(drivers)(
    '$name: 401, discovery, registration, sign-in, every tool, refresh, step-up, restart',
    async (driver) => {
      const state = newState();
      const person = await newPerson();
      const url = new URL(stack.mcpUrl + driver.path);

      const first = await connect(driver, state, person);
      expect(state.stored.tokens).toMatchObject({ token_type: 'Bearer', scope: 'mcp:tools', expires_in: 600 });
      expect(await first.tools()).toEqual(TOOLS);
      await callEveryTool(first);
      await expect(first.call('server_status', {}), 'needs a wider scope').rejects.toThrow();
      await first.close();

      await driver.stepUp(url, state, 'mcp:tools mcp:admin');
      await authorize(driver, state, person);
      const second = await driver.connect(url, state);
      expect(await second.call('server_status', {})).toMatchObject({ isError: false });
      await second.close();

      const saved = state.saved;
      state.spoilAccessToken();
      const refreshed = await driver.connect(url, state);
      expect(state.saved, 'refreshed without a browser').toBe(saved + 1);
      expect(await refreshed.call('whoami', {})).toMatchObject({ isError: false });
      await refreshed.close();

      await stack.restart();
      const restarted = await driver.connect(url, state);
      expect((await restarted.call('sum', { a: 1, b: 2 })).text, 'the same access token, new processes').toContain('3');
      await restarted.close();
      state.spoilAccessToken();
      const again = await driver.connect(url, state);
      expect((await again.call('echo', { message: 'still signed in' })).text).toContain('still signed in');
      expect(state.authorizationUrl).toBeUndefined();
      await again.close();
      await person.close();
    },
  );

  it('RFC 6749 §4.1.2.1: a denial returns to the client with access_denied, state and iss', async () => {
    const [driver] = drivers;
    const state = newState();
    if (!driver) throw new Error('no driver');
    await expect(driver.connect(new URL(`${stack.mcpUrl}/mcp`), state)).rejects.toThrow();
    const person = await newPerson();
    const answer = await deny(person, state.takeAuthorizationUrl());
    expect(Object.fromEntries(answer.searchParams)).toMatchObject({
      error: 'access_denied',
      state: state.expectedState,
      iss: stack.authUrl,
    });
    await person.close();
  });

  it('two people with the same client have different subjects', async () => {
    const [driver] = drivers;
    if (!driver) throw new Error('no driver');
    const subjects = await Promise.all(
      ['Alice', 'Bob'].map(async (name) => {
        const state = newState();
        const person = await newPerson();
        const url = new URL(`${stack.mcpUrl}/mcp`);
        await expect(driver.connect(url, state)).rejects.toThrow();
        await driver.finish(url, state, await signIn(person, state.takeAuthorizationUrl(), name));
        const client = await driver.connect(url, state);
        const { structured } = await client.call('whoami', {});
        await client.close();
        await person.close();
        return (structured as { subject: string }).subject;
      }),
    );
    expect(new Set(subjects).size).toBe(2);
  });

  it('no secret appears in the log', () => {
    const log = stack.run.output;
    expect(log).toContain('/token');
    expect(log).not.toMatch(/eyJ[\w-]+\.[\w-]+\.[\w-]+/);
    expect(secrets.size).toBeGreaterThan(8);
    for (const secret of secrets) expect(log).not.toContain(secret);
  });
});

async function callEveryTool(client: Connected): Promise<void> {
  expect((await client.call('echo', { message: 'héllo' })).text).toBe('Echo: héllo');
  expect(await client.call('sum', { a: 0.1, b: 0.2 })).toMatchObject({ structured: { result: 0.3 } });
  expect((await client.call('stock_price', { symbol: 'aapl' })).text).toMatch(/AAPL[\s\S]*demo/i);
  const unknown = await client.call('stock_price', { symbol: 'NOPE' });
  expect(unknown).toMatchObject({ isError: true, text: expect.stringContaining('AAPL') });
  const steps: number[] = [];
  const countdown = await client.call('countdown', { from: 3 }, (progress) => steps.push(progress));
  expect(countdown.isError).toBe(false);
  expect(steps.length).toBeGreaterThanOrEqual(3);
  expect(await client.call('confirm', { question: 'Go on?' })).toMatchObject({ isError: false });
  expect(await client.call('whoami', {})).toMatchObject({ structured: { scopes: ['mcp:tools'] } });
  const wrong = await client.call('sum', { a: 'one', b: 2 });
  expect(wrong).toMatchObject({ isError: true, text: expect.stringContaining('a') });
}
