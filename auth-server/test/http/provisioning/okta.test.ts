/**
 * Proves that the requests that Okta documents for its SCIM client work: "Okta and SCIM Version 2.0", developer.okta.com,
 * docs/api/openapi/okta-scim/guides/scim-20. An integration of the wizard sends PUT, one of the catalogue PATCH.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../support/running-server.ts';
import { ERROR, found, LIST, patch, provision, scim, startWithScim, USER } from '../../support/scim.ts';

const OKTA_ID = '00ujl29u0le5T6Aj10h7';
const NAME = 'test.user@okta.local';
const CREATE = {
  schemas: [USER],
  userName: NAME,
  name: { givenName: 'Test', familyName: 'User' },
  emails: [{ primary: true, value: NAME, type: 'work' }],
  displayName: 'Test User',
  locale: 'en-US',
  externalId: OKTA_ID,
  groups: [],
  password: '1mz050nq',
  active: true,
};

let server: RunningServer;
beforeEach(async () => {
  server = await startWithScim();
});
afterEach(() => server[Symbol.asyncDispose]());

const create = async () => String((await scim(server, 'POST', '/Users', { body: CREATE })).body.id);
const look = () =>
  scim(server, 'GET', `/Users?filter=userName%20eq%20%22test.user%40okta.local%22&startIndex=1&count=100`);

describe('Okta provisions a user', () => {
  it('RFC 7644 §3.4.2.4 the test of the connection reads the first two users, and no groups', async () => {
    for (const path of ['/Users?startIndex=1&count=2', '/Groups?startIndex=1&count=100']) {
      const { status, body } = await scim(server, 'GET', path);
      expect([path, status, body]).toEqual([
        path,
        200,
        { schemas: [LIST], totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] },
      ]);
    }
  });

  it('RFC 7644 §3.3 "Determine if the User already exists" and "Create the User" link the user', async () => {
    expect((await look()).body.totalResults).toBe(0);
    const { status, body } = await scim(server, 'POST', '/Users', { body: CREATE });
    expect([status, body.userName, body.externalId, body.active]).toEqual([201, NAME, OKTA_ID, true]);
    expect(JSON.stringify(body)).not.toMatch(/1mz050nq|Test/);
    expect(found(await look())).toMatchObject([{ id: body.id, userName: NAME, externalId: OKTA_ID }]);
  });

  it('RFC 7644 §3.3 a user that exists is a conflict of the type uniqueness', async () => {
    await create();
    const { status, body } = await scim(server, 'POST', '/Users', { body: CREATE });
    expect(status).toBe(409);
    expect(body).toEqual({ schemas: [ERROR], status: '409', scimType: 'uniqueness', detail: expect.any(String) });
  });

  it('RFC 7644 §3.5.1 "Update a specific User (PUT)" sends back what it read with changes, and is found by name still', async () => {
    const id = await create();
    const { body: before } = await scim(server, 'GET', `/Users/${id}`);
    const sent = { ...before, name: { givenName: 'Another', middleName: 'Excited', familyName: 'User' } };
    const { status, body } = await scim(server, 'PUT', `/Users/${id}`, { body: sent });
    expect([status, body.id, body.externalId, body.active]).toEqual([200, id, OKTA_ID, true]);
    expect(found(await look())).toMatchObject([{ id }]);
  });

  it('RFC 7644 §3.5.1 a PUT with active=false deactivates, one without externalId and active changes neither', async () => {
    const id = await create();
    const { externalId: _, active: __, ...profile } = CREATE;
    const put = (more: object) => scim(server, 'PUT', `/Users/${id}`, { body: { ...profile, id, ...more } });
    expect((await put({ active: false })).body).toMatchObject({ id, externalId: OKTA_ID, active: false });
    expect((await put({})).body).toMatchObject({ id, externalId: OKTA_ID, active: false });
    expect(found(await look())).toMatchObject([{ id, active: false }]);
    expect((await put({ active: true })).body.active).toBe(true);
  });

  it('RFC 7644 §3.5.2 "Update a specific User (PATCH)" without a path deactivates', async () => {
    const id = await create();
    const { status, body } = await patch(server, id, { op: 'replace', value: { active: false } });
    expect([status, body.id, body.active]).toEqual([200, id, false]);
  });

  it('RFC 7644 §3.4.2.4 "Retrieve Users" reads all users page by page, each once', async () => {
    const ids = await Promise.all(Array.from({ length: 25 }, (_, n) => provision(server, `00u${n}`)));
    const seen: unknown[] = [];
    for (let startIndex = 1; ; startIndex += 10) {
      const page = await scim(server, 'GET', `/Users?startIndex=${startIndex}&count=10`);
      expect(page.body).toMatchObject({ totalResults: 25, startIndex, itemsPerPage: found(page).length });
      if (found(page).length === 0) break;
      seen.push(...found(page).map(({ id }) => id));
    }
    expect(seen).toHaveLength(25);
    expect([...seen].sort()).toEqual([...ids].sort());
  });

  it('RFC 7644 §3.4.2.4 a list has at most 100 users, count=0 only the number, and odd values are refused', async () => {
    await Promise.all(Array.from({ length: 105 }, (_, n) => provision(server, `00u${n}`)));
    const page = async (query: string) => {
      const answer = await scim(server, 'GET', `/Users${query}`);
      return [answer.status, answer.body.totalResults, answer.body.startIndex, found(answer)?.length];
    };
    expect(await page('')).toEqual([200, 105, 1, 100]);
    expect(await page('?count=1000000')).toEqual([200, 105, 1, 100]);
    expect(await page('?count=0')).toEqual([200, 105, 1, 0]);
    expect(await page('?count=-5&startIndex=-5')).toEqual([200, 105, 1, 0]);
    expect(await page('?startIndex=101')).toEqual([200, 105, 101, 5]);
    expect(await page('?startIndex=999999999999999')).toEqual([200, 105, 999_999_999_999_999, 0]);
    for (const odd of ['?count=ten', '?startIndex=1.5', '?count=', '?count=1e3', `?count=${'9'.repeat(400)}`]) {
      expect((await page(odd))[0]).toBe(400);
    }
  });

  it('RFC 7643 §5, §6 the configuration and the resource type say what is supported', async () => {
    const { body } = await scim(server, 'GET', '/ServiceProviderConfig');
    expect(body).toMatchObject({
      patch: { supported: true },
      bulk: { supported: false },
      filter: { supported: true, maxResults: 100 },
      authenticationSchemes: [{ type: 'oauthbearertoken' }],
    });
    const types = await scim(server, 'GET', '/ResourceTypes');
    expect(found(types)).toMatchObject([{ id: 'User', endpoint: '/Users', schema: USER }]);
    expect((await scim(server, 'GET', '/ResourceTypes/User')).body).toMatchObject({ name: 'User' });
  });
});
