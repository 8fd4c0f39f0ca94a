/** Owns the proof that what was revoked stays revoked, whatever happens at the same moment (RFC 7009 §2, RFC 9700 §4.14.2). */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { Browser } from '../browser.ts';
import { authorize, redeem, refresh, register, type TestClient } from '../client.ts';
import { form, type RunningServer, read, startServer } from '../running-server.ts';

/** Runs `meanwhile` once, after the next grant has been read and before the reader has it. */
function interrupted(store: RecordStore): RecordStore & { meanwhile?: () => Promise<unknown> } {
  const racing: RecordStore & { meanwhile?: () => Promise<unknown> } = {
    ...store,
    get: async (kind, id) => {
      const record = await store.get(kind, id);
      const { meanwhile } = racing;
      if (kind === 'Grant' && record && meanwhile) {
        delete racing.meanwhile;
        await meanwhile();
      }
      return record;
    },
  };
  return racing;
}

let store: ReturnType<typeof interrupted>;
let server: RunningServer;
let client: TestClient;
let browser: Browser;
beforeEach(async () => {
  const clock = new FakeClock(Date.now());
  store = interrupted(createSqliteStore(':memory:', clock));
  server = await startServer({ store, clock });
  client = await register(server);
  browser = new Browser(server);
});
afterEach(() => server[Symbol.asyncDispose]());

const status = async (response: Response) => [response.status, (await read(response)).error];
const revoke = (token: unknown) => server.fetch('/revoke', form({ client_id: client.id, token: String(token) }));

describe('RFC 7009 §2.1 a grant that is revoked', () => {
  it.each([0, 1, 2, 3, 4, 5])('while its person approves more (after read %d) does not come back', async (earlier) => {
    const { code } = await authorize(server, client, { scope: 'mcp:tools' }, { browser });
    const stolen = (await read(await redeem(server, client, code))).refresh_token;
    const live = (await read(await refresh(server, client, stolen))).refresh_token;
    const more = { scope: 'mcp:tools mcp:admin' };
    let reads = earlier;
    let struck = false;
    const strike = async () => {
      if (reads > 0) {
        reads -= 1;
        store.meanwhile = strike;
        return;
      }
      struck = true;
      expect((await revoke(stolen)).status).toBe(200);
    };
    store.meanwhile = strike;
    const again = await authorize(server, client, more, { browser });
    await redeem(server, client, again.code);
    delete store.meanwhile;
    if (struck)
      for (const token of [stolen, live])
        expect(await status(await refresh(server, client, token))).toEqual([400, 'invalid_grant']);
  });

  it('takes the successors of its refresh tokens with it, within the grace window too', async () => {
    const { code } = await authorize(server, client, {}, { browser });
    const first = (await read(await redeem(server, client, code))).refresh_token;
    const second = (await read(await refresh(server, client, first))).refresh_token;
    expect((await revoke(second)).status).toBe(200);
    for (const token of [first, second]) {
      expect(await status(await refresh(server, client, token))).toEqual([400, 'invalid_grant']);
    }
    expect(await status(await refresh(server, client, second))).toEqual([400, 'invalid_grant']);
  });
});
