/**
 * Proves that status lists hold against two auth-server processes, on every storage: what one process ends is marked by both, and no
 * token is issued unmarked beside the end of its grant. Each test prints what it saw.
 */
import { setTimeout as after } from 'node:timers/promises';
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isMarkedIn, type Reference, referenceOf } from '../../auth-server/test/support/token-status.ts';
import { OAuthClient } from '../support/oauth-client.ts';
import { type Replicas, type Shared, STORAGES, startReplicas } from './replicas.ts';

const ROUNDS = 8;
/** Enough to ask each process twice. */
const ASKED = 4;

/** What the processes say, one after the other. */
async function answers(reference: Reference): Promise<readonly boolean[]> {
  const said: boolean[] = [];
  for (let n = 0; n < ASKED; n += 1) said.push(await isMarkedIn(await fetch(reference.uri), reference));
  return said;
}

const everywhere = Array.from({ length: ASKED }, () => true);

describe.each(Object.entries(STORAGES))('Token Status List, two auth-servers on %s', (name, share) => {
  let shared: Shared;
  let replicas: Replicas;
  const needsRedis = /Redis/.test(name);

  beforeAll(async () => {
    if (needsRedis && !hasRedis) return;
    shared = await share();
    replicas = await startReplicas(shared);
  });
  afterAll(async () => {
    await replicas?.[Symbol.asyncDispose]();
    await shared?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(needsRedis && !hasRedis, NEEDS_REDIS));

  const revoke = (client: OAuthClient, token: unknown) => client.post('/revoke', { token: String(token) });

  it('§8.1 a token that one process ended is marked in the list of both, and the lists differ in nothing', async () => {
    const client = await OAuthClient.register(replicas.stack);
    const tokens = await client.tokens();
    const other = referenceOf((await client.tokens()).access_token);
    const reference = referenceOf(tokens.access_token);
    expect(await answers(reference)).not.toContain(true);
    expect((await revoke(client, tokens.refresh_token)).status).toBe(200);
    const ended = performance.now();
    await expect.poll(() => answers(reference), { interval: 50 }).toEqual(everywhere);
    process.stdout.write(`${name}: marked by both processes after ${Math.round(performance.now() - ended)} ms\n`);
    expect(await answers(other)).not.toContain(true);
    const lists = await Promise.all(
      Array.from({ length: ASKED }, async () => decodeJwt(await (await fetch(other.uri)).text())),
    );
    expect(new Set(lists.map((list) => JSON.stringify(list))).size).toBe(1);
  });

  it('RFC 7009 §2.1 a token that is issued while its grant is revoked is marked, however late the revocation starts', async () => {
    const client = await OAuthClient.register(replicas.stack);
    const references: Reference[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { refresh_token } = await client.tokens();
      const [refreshed] = await Promise.all([
        client.refresh(refresh_token),
        after(round % 10).then(() => revoke(client, refresh_token)),
      ]);
      const token = refreshed.json.access_token;
      if (token !== undefined) references.push(referenceOf(token));
    }
    const said = async () => (await Promise.all(references.map(answers))).flat();
    await expect.poll(said, { interval: 50 }).not.toContain(false);
    process.stdout.write(
      `${name}: ${ROUNDS} revocations, ${references.length} tokens issued beside them, all marked\n`,
    );
  });

  it('no two grants get the same index, whichever processes issue their tokens', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => OAuthClient.register(replicas.stack)));
    const references = await Promise.all(
      clients.map(async (client) => referenceOf((await client.tokens()).access_token)),
    );
    expect(new Set(references.map(({ uri, idx }) => `${uri} ${idx}`)).size).toBe(clients.length);
    expect(new Set(references.map(({ uri }) => uri)).size).toBeLessThanOrEqual(2);
  });
});
