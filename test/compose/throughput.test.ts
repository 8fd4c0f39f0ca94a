/** Owns the figures of tools/call through the gateway with one, two and three replicas, and states their limits. */
import { Agent, request } from 'node:http';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { McpSession, OAuthClient } from '../support/oauth-client.ts';
import type { Stack } from '../support/stack.ts';
import { Composed } from './composed.ts';
import { print } from './figures.ts';

const REPLICAS = [1, 2, 3];
const CONNECTIONS = 24;
/** Milliseconds of one measurement, and of the warm-up before it. */
const MEASURED = 2_500;
const WARM_UP = 1_000;
/** Alternates between the counts of replicas, so that other load on the machine affects all of them. */
const ROUNDS = 2;

const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'sum', arguments: { a: 1, b: 2 } },
});

describe('throughput', () => {
  const composed = new Composed('mcp-oauth-throughput');
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let session: McpSession;

  beforeAll(async () => {
    await composed.sh('docker compose up -d --build --wait');
    const client = await OAuthClient.register({ authUrl: composed.url, mcpUrl: composed.url } as Stack);
    session = await McpSession.open(`${composed.url}/mcp`, (await client.tokens()).access_token);
  }, 300_000);
  afterAll(async () => {
    agent.destroy();
    await composed[Symbol.asyncDispose]();
  }, 120_000);

  /** @returns milliseconds that the call took */
  async function call(): Promise<number> {
    const began = performance.now();
    const headers = {
      ...session.headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      request(session.url, { method: 'POST', agent, headers }, resolve).on('error', reject).end(CALL);
    });
    const body = await text(answer);
    if (answer.statusCode !== 200 || !body.includes('"result"')) throw new Error(`${answer.statusCode}: ${body}`);
    return performance.now() - began;
  }

  /** Every client sends its next call when the last answer is there. */
  async function load(milliseconds: number): Promise<number[]> {
    const taken: number[] = [];
    const end = performance.now() + milliseconds;
    const work = async () => {
      while (performance.now() < end) taken.push(await call());
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, work));
    return taken.sort((a, b) => a - b);
  }

  it('the throughput of tools/call is measured with 1, 2 and 3 replicas', async () => {
    const measured = new Map<number, number[]>();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const replicas of REPLICAS) {
        await composed.sh(`docker compose up -d --wait --scale mcp-server=${replicas}`);
        await load(WARM_UP);
        const taken = await load(MEASURED);
        measured.set(
          replicas,
          [...(measured.get(replicas) ?? []), ...taken].sort((a, b) => a - b),
        );
      }
    }
    for (const [replicas, taken] of measured) {
      const at = (share: number) => `${taken[Math.floor(taken.length * share)]?.toFixed(1)} ms`;
      const perSecond = taken.length / ((MEASURED * ROUNDS) / 1000);
      print(
        `tools/call, ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`,
        `${perSecond.toFixed(0)} calls/s, p50 ${at(0.5)}, p95 ${at(0.95)} (${CONNECTIONS} connections)`,
      );
      expect(perSecond).toBeGreaterThan(0);
    }
    print(
      '',
      `${availableParallelism()} processors for the clients, the gateway, Redis and all replicas together: where they are busy with one, more can't be faster`,
    );
  });
});
