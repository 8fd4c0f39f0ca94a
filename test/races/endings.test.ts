/**
 * Proves that an ending by a command leaves nothing behind, on every storage and against two auth-server processes: while it runs,
 * clients refresh, exchange codes and poll for device codes, and people approve. Whatever token such a request got is marked in the
 * status list, or its approval goes on.
 */
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isMarkedIn, referenceOf } from '../../auth-server/test/support/token-status.ts';
import { type Answer, OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts';
import { type Page, Person } from '../support/person.ts';
import { type Replicas, type Shared, STORAGES, startReplicas } from './replicas.ts';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
/** Approvals that clients refresh all the time while the command runs. */
const FAMILIES = 6;
/** Codes that are redeemed, and devices that poll, one after the other while it runs. */
const LATE = 6;
const NOWHERE = 'http://nowhere.example/';

/** The tokens of one approval, newest refresh token last. */
interface Family {
  readonly client: OAuthClient;
  readonly access: string[];
  refresh: string;
}

const ENDINGS: Readonly<Record<string, (client: OAuthClient, subject: string) => string>> = {
  'people end': (_, subject) => `people end -- ${subject}`,
  'grants end --client': ({ id }) => `grants end --client ${id} --yes`,
  'grants end --before now': () => 'grants end --before now --yes',
};

describe.each(Object.entries(STORAGES))('an ending with two auth-servers on %s', (name, share) => {
  let shared: Shared;
  let replicas: Replicas;
  const needsRedis = /Redis/.test(name);

  beforeAll(async () => {
    if (needsRedis && !hasRedis) return;
    shared = await share();
    const limits = { DEVICE_AUTHORIZATION: 'on', DEVICE_AUTHORIZATION_LIMIT: '10000' };
    replicas = await startReplicas(shared, limits);
  });
  afterAll(async () => {
    await replicas?.[Symbol.asyncDispose]();
    await shared?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(needsRedis && !hasRedis, NEEDS_REDIS));

  const familyOf = (client: OAuthClient, { status, json }: Answer): readonly Family[] =>
    status === 200 ? [{ client, access: [String(json.access_token)], refresh: String(json.refresh_token) }] : [];

  /** @returns whether the approval goes on */
  async function refreshed(family: Family): Promise<boolean> {
    const { status, json } = await family.client.refresh(family.refresh);
    if (status !== 200) return false;
    family.access.push(String(json.access_token));
    family.refresh = String(json.refresh_token);
    return true;
  }

  /** A device code that a person has approved, not polled yet. */
  async function approvedDevice(client: OAuthClient): Promise<string> {
    const { json } = await client.post('/device_authorization', { resource: `${client.stack.mcpUrl}/mcp` });
    const person = new Person();
    const entered = (await person.open(`${json.verification_uri}?user_code=${json.user_code}`, NOWHERE)) as Page;
    const confirmed = (await person.press(entered, /Continue/, NOWHERE)) as Page;
    const asked = (await person.press(confirmed, /Yes/, NOWHERE)) as Page;
    const page = (await person.press(asked, /Continue with|Approve/, NOWHERE)) as Page;
    if (!page.body.includes('has access')) await person.press(page, /Alice/, NOWHERE);
    return String(json.device_code);
  }

  async function isRefused(access: string): Promise<boolean> {
    const reference = referenceOf(access);
    return isMarkedIn(await fetch(reference.uri), reference);
  }

  it.each(Object.entries(ENDINGS))('%s ends every token of before, and none of after', async (what, lineOf) => {
    const metadata = {
      redirect_uris: [REDIRECT_URI],
      grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
      application_type: 'native',
    };
    const client = await OAuthClient.register(replicas.stack, metadata);
    const approved = async () => familyOf(client, await client.redeem(await client.code()));
    const before = (await Promise.all(Array.from({ length: FAMILIES }, approved))).flat();
    const codes = await Promise.all(Array.from({ length: LATE }, () => client.code()));
    const devices = [];
    for (let n = 0; n < LATE; n += 1) devices.push(await approvedDevice(client));
    const subject = String(decodeJwt(before[0]?.access[0] ?? '').sub);

    const command = replicas.command(lineOf(client, subject));
    let isOver = false;
    const ended = command.ended.then((result) => {
      isOver = true;
      return result;
    });
    const meanwhile: Family[] = [];
    const refreshing = before.map(async (family) => {
      while (!isOver && (await refreshed(family)));
    });
    const spread = async <T>(all: readonly T[], use: (one: T) => Promise<readonly Family[]>) => {
      for (const one of all) before.push(...(await use(one)));
    };
    const approving = (async () => {
      while (!isOver) meanwhile.push(...(await approved().catch(() => [])));
    })();
    const [{ code, output }] = await Promise.all([
      ended,
      ...refreshing,
      spread(codes, async (one) => familyOf(client, await client.redeem(one))),
      spread(devices, async (one) =>
        familyOf(client, await client.token({ grant_type: DEVICE_GRANT, device_code: one })),
      ),
      approving,
    ]);
    expect([code, output]).toEqual([0, expect.stringContaining('Ended')]);

    const tokens = before.flatMap(({ access }) => access);
    for (const family of before) expect(await refreshed(family)).toBe(false);
    const unmarked = async () => (await Promise.all(tokens.map(isRefused))).filter((refused) => !refused).length;
    await expect.poll(unmarked).toBe(0);

    let alive = 0;
    for (const family of meanwhile) {
      const goesOn = await refreshed(family);
      if (goesOn) alive += 1;
      const refused = async () => [...new Set(await Promise.all(family.access.map(isRefused)))];
      // A mark that was set last is not in the copy of every process yet.
      await expect.poll(refused, { message: 'an approval that was given meanwhile' }).toEqual([!goesOn]);
    }
    process.stdout.write(
      `${name}: ${what}: ${before.length} approvals, ${tokens.length} tokens, all refused; meanwhile ${meanwhile.length}, of these ${alive} go on\n`,
    );
    // Sign-ins of the last seconds have ended too, because the clocks of two replicas may differ.
    await expect.poll(() => approved().catch(() => []), { timeout: 15_000, interval: 500 }).toHaveLength(1);
    const [fresh] = await approved();
    expect(fresh && (await refreshed(fresh)) && (await Promise.all(fresh.access.map(isRefused)))).toEqual([
      false,
      false,
    ]);
  });
});
