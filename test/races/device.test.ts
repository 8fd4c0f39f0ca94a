/**
 * Proves the device authorization grant (RFC 8628) against two auth-server processes, on every storage: each step may meet the other
 * process, a code works once, and the limits are those of both together.
 */
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts';
import { type Page, Person } from '../support/person.ts';
import { type Replicas, type Shared, STORAGES, startReplicas } from './replicas.ts';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const ROUNDS = 20;
const RACERS = 4;
const NOWHERE = 'http://nowhere.example/';
const LIMIT = 1_000;

interface Codes {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
}

const registerDevice = (replicas: Replicas) =>
  OAuthClient.register(replicas.stack, {
    redirect_uris: [REDIRECT_URI],
    grant_types: [DEVICE_GRANT, 'refresh_token'],
    response_types: [],
    application_type: 'native',
  });

async function codesFor(client: OAuthClient): Promise<Codes> {
  const { status, json, text } = await client.post('/device_authorization', {});
  if (status !== 200) throw new Error(`no device code: ${text}`);
  return json as unknown as Codes;
}

const poll = (client: OAuthClient, { device_code }: Codes) => client.token({ grant_type: DEVICE_GRANT, device_code });

/** The page to compare the code, in a browser that entered it. */
async function entered(person: Person, { user_code, verification_uri }: Codes): Promise<Page> {
  const page = (await person.open(`${verification_uri}?user_code=${user_code}`, NOWHERE)) as Page;
  return (await person.press(page, /Continue/, NOWHERE)) as Page;
}

const confirm = async (person: Person, page: Page) => (await person.press(page, /Yes/, NOWHERE)) as Page;

async function approve(person: Person, codes: Codes): Promise<Page> {
  let page = await confirm(person, await entered(person, codes));
  page = (await person.press(page, /Continue with|Approve/, NOWHERE)) as Page;
  return /Alice/.test(page.body) && !page.body.includes('has access')
    ? ((await person.press(page, /Alice/, NOWHERE)) as Page)
    : page;
}

describe.each(Object.entries(STORAGES))('RFC 8628 two auth-servers on %s', (name, share) => {
  let shared: Shared;
  let replicas: Replicas;
  const needsRedis = /Redis/.test(name);
  const settings = { DEVICE_AUTHORIZATION: 'on', DEVICE_AUTHORIZATION_LIMIT: String(LIMIT) };

  beforeAll(async () => {
    if (needsRedis && !hasRedis) return;
    shared = await share();
    replicas = await startReplicas(shared, settings);
  });
  afterAll(async () => {
    await replicas?.[Symbol.asyncDispose]();
    await shared?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(needsRedis && !hasRedis, NEEDS_REDIS));

  it('RFC 8628 §3.4 a sign-in finishes although each request meets the other process', async () => {
    const client = await registerDevice(replicas);
    const codes = await codesFor(client);
    expect((await approve(new Person(), codes)).body).toContain('Your device has access');
    const { status, json } = await poll(client, codes);
    expect([status, (await client.refresh(String(json.refresh_token))).status]).toEqual([200, 200]);
  });

  it('RFC 8628 §3.5 concurrent polls of an approved device code get one refresh token, which works', async () => {
    const client = await registerDevice(replicas);
    const person = new Person();
    for (let round = 0; round < ROUNDS; round += 1) {
      const codes = await codesFor(client);
      await approve(person, codes);
      const answers = await Promise.all(Array.from({ length: RACERS }, () => poll(client, codes)));
      expect(answers.map(({ status }) => status)).toEqual(Array(RACERS).fill(200));
      const [token, ...others] = new Set(answers.map(({ json }) => String(json.refresh_token)));
      expect(others).toEqual([]);
      expect((await client.refresh(String(token))).status).toBe(200);
    }
  });

  it('RFC 8628 §3.5 with REFRESH_GRACE=0s exactly one of many concurrent polls gets the tokens', async () => {
    await using strict = await startReplicas(shared, { ...settings, REFRESH_GRACE: '0s' });
    const client = await registerDevice(strict);
    const person = new Person();
    const winners: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const codes = await codesFor(client);
      await approve(person, codes);
      const answers = await Promise.all(Array.from({ length: RACERS }, () => poll(client, codes)));
      const won = answers.filter(({ status }) => status === 200);
      winners.push(won.length);
      expect((await client.refresh(String(won[0]?.json.refresh_token))).status).toBe(200);
    }
    process.stdout.write(`${name}: device code: ${ROUNDS} rounds of ${RACERS}, winners ${[...new Set(winners)]}\n`);
    expect(new Set(winners)).toEqual(new Set([1]));
  });

  it('RFC 8628 §5.1 a user code is confirmed by one of many people at the same moment', async () => {
    const client = await registerDevice(replicas);
    const winners: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const codes = await codesFor(client);
      const people = await Promise.all(
        Array.from({ length: RACERS }, async () => {
          const person = new Person();
          return { person, page: await entered(person, codes) };
        }),
      );
      const pages = await Promise.all(people.map(({ person, page }) => confirm(person, page)));
      winners.push(pages.filter(({ body }) => body.includes('/approve"')).length);
    }
    process.stdout.write(`${name}: user code: ${ROUNDS} rounds of ${RACERS}, winners ${[...new Set(winners)]}\n`);
    expect(new Set(winners)).toEqual(new Set([1]));
  });

  // Without Redis there is one process, which counts for itself.
  if (needsRedis) {
    it('RFC 8628 §3.5 a poll is too fast at whichever process it arrives', async () => {
      const client = await registerDevice(replicas);
      const codes = await codesFor(client);
      const errors = await Promise.all(Array.from({ length: 6 }, async () => (await poll(client, codes)).json.error));
      expect(errors.filter((error) => error === 'authorization_pending')).toHaveLength(1);
      expect(errors.filter((error) => error === 'slow_down')).toHaveLength(5);
    });

    it('RFC 8628 §5.1 codes that are entered at either process are counted together', async () => {
      await using small = await startReplicas(shared, {
        DEVICE_AUTHORIZATION: 'on',
        DEVICE_AUTHORIZATION_LIMIT: '10',
        REDIS_URL: shared.env.REDIS_URL,
      });
      const person = new Person();
      const statuses = [];
      // What the tests above used is counted as well, so the limit is reached at the latest after ten.
      for (let visit = 0; visit < 11; visit += 1) {
        statuses.push((await person.request(`${small.stack.authUrl}/device`)).status);
      }
      expect(statuses.at(-1)).toBe(429);
    });
  }

  it('no process logs an error, and none logs a code', async () => {
    const client = await registerDevice(replicas);
    const codes = await codesFor(client);
    await approve(new Person(), codes);
    await poll(client, codes);
    const output = replicas.output();
    expect(output).not.toContain('"level":"error"');
    for (const secret of [codes.device_code, codes.user_code, codes.user_code.replace('-', '')]) {
      expect(output).not.toContain(secret);
    }
  });
});
