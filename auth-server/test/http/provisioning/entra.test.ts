/**
 * Proves that the requests that Microsoft documents for its provisioning service work: "Develop a SCIM endpoint", learn.microsoft.com,
 * entra/identity/app-provisioning/use-scim-to-provision-users-and-groups, and "Known issues with SCIM 2.0 protocol compliance",
 * application-provisioning-config-problem-scim-compatibility.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../support/running-server.ts';
import { byFilter, ERROR, found, LIST, patch, provision, scim, startWithScim, USER } from '../../support/scim.ts';

const OBJECT_ID = '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef';
const NAME = 'Test_User_dd23897f-0a3f-4a5a-a5c7-6e1f0d2b3c4d';
const CREATE = {
  schemas: [USER, 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
  externalId: OBJECT_ID,
  userName: NAME,
  active: true,
  emails: [{ primary: true, type: 'work', value: 'Test_User@testuser.com' }],
  meta: { resourceType: 'User' },
  name: { formatted: 'givenName familyName', familyName: 'familyName', givenName: 'givenName' },
  roles: [],
};

let server: RunningServer;
beforeEach(async () => {
  server = await startWithScim();
});
afterEach(() => server[Symbol.asyncDispose]());

const create = async () => String((await scim(server, 'POST', '/Users', { body: CREATE })).body.id);
const activeOf = async (id: string) => (await scim(server, 'GET', `/Users/${id}`)).body.active;

describe('Microsoft Entra provisions a user', () => {
  it('RFC 7644 §3.3 "Create User" is answered with 201, the id, externalId, userName, active and the location', async () => {
    const { status, headers, body } = await scim(server, 'POST', '/Users', { body: CREATE });
    expect(status).toBe(201);
    expect(headers.get('content-type')).toBe('application/scim+json; charset=utf-8');
    expect(headers.get('location')).toBe(`${server.issuer}/scim/v2/acme/Users/${body.id}`);
    expect(body).toEqual({
      schemas: [USER],
      id: expect.stringMatching(/^[\w-]{22}$/),
      externalId: OBJECT_ID,
      userName: NAME,
      active: true,
      meta: {
        resourceType: 'User',
        created: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        lastModified: expect.any(String),
        location: headers.get('location'),
      },
    });
  });

  it('RFC 7644 §3.4.1 "Get User" finds a user by id, and an unknown one is 404 in the error schema', async () => {
    const id = await create();
    expect((await scim(server, 'GET', `/Users/${id}`)).body).toMatchObject({ id, externalId: OBJECT_ID, active: true });
    const missing = await scim(server, 'GET', '/Users/5171a35d82074e068ce2');
    expect(missing.status).toBe(404);
    expect(missing.body).toEqual({ schemas: [ERROR], status: '404', detail: expect.any(String) });
  });

  it.each([
    `userName eq "${NAME}"`,
    `userName eq "${NAME.toUpperCase()}"`,
    `USERNAME EQ "${NAME}"`,
    `${USER}:userName eq "${NAME}"`,
    `externalId eq "${OBJECT_ID}"`,
    `externalId eq ${OBJECT_ID}`,
  ])('RFC 7644 §3.4.2.2 "Get User by query" finds a user by %s', async (filter) => {
    const id = await create();
    const answer = await byFilter(server, filter);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ schemas: [LIST], totalResults: 1, startIndex: 1, itemsPerPage: 1 });
    expect(found(answer)).toMatchObject([{ id, externalId: OBJECT_ID }]);
  });

  it('RFC 7644 §3.4.2 "Get User by query - Zero results" is an empty list with 200', async () => {
    const answer = await byFilter(server, 'userName eq "non-existent user"');
    expect([answer.status, answer.body]).toEqual([
      200,
      { schemas: [LIST], totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] },
    ]);
  });

  it.each([
    ['as a text, by default', { op: 'Replace', path: 'active', value: 'False' }],
    ['as a boolean, with the flag aadOptscim062020', { op: 'replace', path: 'active', value: false }],
    [
      'in one operation with others',
      { op: 'replace', value: { displayName: 'Bjfe', 'name.givenName': 'Kkom', active: 'False' } },
    ],
    ['by add', { op: 'Add', path: 'active', value: 'false' }],
    ['by the full name of the attribute', { op: 'replace', path: `${USER}:active`, value: false }],
  ])('RFC 7644 §3.5.2 "Disable User" works %s, and the user can still be read', async (_, operation) => {
    const id = await create();
    const { status, body } = await patch(server, id, operation);
    expect([status, body.id, body.active]).toEqual([200, id, false]);
    expect(await activeOf(id)).toBe(false);
    expect(found(await byFilter(server, `userName eq "${NAME}"`))).toMatchObject([{ id, active: false }]);
    expect((await patch(server, id, { op: 'Replace', path: 'active', value: 'True' })).body.active).toBe(true);
  });

  it('RFC 7644 §3.5.2 "Update User" of attributes that are not stored is accepted and changes nothing', async () => {
    const id = await create();
    const { status, body } = await patch(
      server,
      id,
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'updatedEmail@microsoft.com' },
      { op: 'Replace', path: 'name.familyName', value: 'updatedFamilyName' },
      { op: 'Remove', path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department' },
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ id, externalId: OBJECT_ID, active: true });
    expect(JSON.stringify(body)).not.toMatch(/updated/i);
  });

  it('RFC 7644 §3.5.2 a changed userName is the one that finds the user from then on', async () => {
    const id = await create();
    const name = '5b50642d-79fc-4410-9e90-4c077cdd1a59@testuser.com';
    const { body } = await patch(server, id, { op: 'Replace', path: 'userName', value: name });
    expect(body.userName).toBe(name);
    expect(found(await byFilter(server, `userName eq "${name}"`))).toMatchObject([{ id, userName: name }]);
    expect(found(await byFilter(server, `userName eq "${NAME}"`))).toEqual([]);
  });

  it('RFC 7644 §3.5.2 a corrected externalId moves the user to the other subject, under the same id', async () => {
    const id = await provision(server, 'mail.nickname');
    const { status, body } = await patch(server, id, { op: 'Replace', path: 'externalId', value: OBJECT_ID });
    expect([status, body.id, body.externalId, body.active]).toEqual([200, id, OBJECT_ID, true]);
    expect((await scim(server, 'GET', `/Users/${id}`)).body.externalId).toBe(OBJECT_ID);
    expect(found(await byFilter(server, 'externalId eq "mail.nickname"'))).toEqual([]);
  });

  it('RFC 7644 §3.6 "Delete User" is answered with 204, and the user is not found any more', async () => {
    const id = await create();
    const { status, body } = await scim(server, 'DELETE', `/Users/${id}`);
    expect([status, body]).toEqual([204, {}]);
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const body = { Operations: [{ op: 'replace', path: 'active', value: true }] };
      const again = await scim(server, method, `/Users/${id}`, { ...(method.startsWith('P') && { body }) });
      expect([method, again.status]).toEqual([method, 404]);
    }
    expect(found(await byFilter(server, `userName eq "${NAME}"`))).toEqual([]);
    expect((await scim(server, 'GET', '/Users')).body.totalResults).toBe(0);
  });

  it('RFC 7644 §3.3 a deleted user can be created again', async () => {
    const id = await create();
    await scim(server, 'DELETE', `/Users/${id}`);
    const again = await scim(server, 'POST', '/Users', { body: CREATE });
    expect([again.status, again.body.active]).toEqual([201, true]);
    expect(again.body.id).not.toBe(id);
  });

  it('RFC 7643 §7 the schemas are a list that names the attributes which are used', async () => {
    const { status, body } = await scim(server, 'GET', '/Schemas');
    expect(status).toBe(200);
    expect(body).toMatchObject({ schemas: [LIST], totalResults: 1, Resources: [{ id: USER, name: 'User' }] });
    expect((await scim(server, 'GET', `/Schemas/${USER}`)).body).toMatchObject({
      attributes: [{ name: 'userName' }, { name: 'active', type: 'boolean' }],
    });
    expect((await scim(server, 'GET', '/Schemas/urn:other')).status).toBe(404);
  });
});
