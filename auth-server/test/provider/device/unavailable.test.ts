/** Proves that a device loses nothing while the storage is away: every step is 503, and the same code works afterwards. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { describe, expect, it } from 'vitest';
import { type RecordStore, StoreUnavailable } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { askForCodes, codesFor, poll, registerDevice, startWithDevices, Visitor } from '../../support/device.ts';

/** A store whose device codes can be out of reach. */
function breakable() {
  const store = createSqliteStore(':memory:', systemClock);
  const state = { isAway: false };
  const unlessAway =
    <Args extends [kind: string, ...rest: never[]], Result>(run: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      state.isAway && args[0] === 'DeviceCode' ? Promise.reject(new StoreUnavailable('away')) : run(...args);
  const { get, getByAlias, put, replace, consume } = store;
  const broken: RecordStore = {
    ...store,
    get: unlessAway(get),
    getByAlias: unlessAway(getByAlias),
    put: unlessAway(put),
    replace: unlessAway(replace),
    consume: unlessAway(consume),
  };
  return { store: broken, state };
}

describe('RFC 8628 a device while the storage is away', () => {
  it('each step is 503 with Retry-After, and the same code works afterwards', async () => {
    const { store, state } = breakable();
    await using server = await startWithDevices({ store });
    const client = await registerDevice(server);
    const codes = await codesFor(server, client);
    const visitor = new Visitor(server);
    const { fields } = await visitor.enter(codes.user_code);
    state.isAway = true;
    expect((await askForCodes(server, client)).status).toBe(503);
    expect((await poll(server, client, codes)).status).toBe(503);
    const page = await visitor.send({ ...fields, confirm: 'yes' });
    expect([page.status, page.response.headers.get('retry-after')]).toEqual([503, '2']);
    state.isAway = false;
    expect((await visitor.approve(codes.user_code)).markup).toContain('Your device has access');
    expect((await poll(server, client, codes)).status).toBe(200);
  });
});
