/** Proves that only the provider of a connector changes who is active there, and that odd and hostile requests change nothing. */

import { systemClock } from '@mcp-oauth/shared/clock';
import type { JsonObject } from '@mcp-oauth/shared/json';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordStore } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { authorize, register } from '../../support/client.ts';
import type { RunningServer } from '../../support/running-server.ts';
import {
  byFilter,
  ERROR,
  found,
  OTHER_TOKEN,
  patch,
  provision,
  scim,
  startWithScim,
  TOKEN,
} from '../../support/scim.ts';

let server: RunningServer;
let store: RecordStore;
/** Kinds of the records that were written. */
let written: string[];
beforeEach(async () => {
  store = createSqliteStore(':memory:', systemClock);
  written = [];
  const noted =
    <A extends unknown[], R>(write: (kind: string, ...rest: A) => R) =>
    (kind: string, ...rest: A) => {
      written.push(kind);
      return write(kind, ...rest);
    };
  const { put, putIfAbsent, replace, touch } = store;
  server = await startWithScim({
    store: { ...store, put: noted(put), putIfAbsent: noted(putIfAbsent), replace: noted(replace), touch: noted(touch) },
  });
  written.length = 0;
});
afterEach(() => server[Symbol.asyncDispose]());

const canSignIn = async (person: string) => {
  const client = await register(server);
  const answer = await authorize(server, client, {}, { person }).catch(() => undefined);
  return Boolean(answer?.code);
};

describe('RFC 7644 §2 the token of an endpoint', () => {
  it.each([
    ['no token', { token: '' }],
    ['a wrong token', { token: 'a'.repeat(TOKEN.length) }],
    ['a part of the token', { token: TOKEN.slice(0, -1) }],
    ['the token and more', { token: `${TOKEN}x` }],
    ['the token of another connector', { token: OTHER_TOKEN }],
    ['the token in Basic', { token: '', headers: { authorization: `Basic ${btoa(`acme:${TOKEN}`)}` } }],
    ['the token without a scheme', { token: '', headers: { authorization: TOKEN } }],
    ['the token in the query', { token: '' }, `?access_token=${TOKEN}` as string],
  ] as const)(
    '%s gets 401 in the error schema, for every request, and writes nothing',
    async (_, request, query: string = '') => {
      const id = await provision(server, 'alice');
      written.length = 0;
      for (const [method, path] of [
        ['GET', '/Users'],
        ['POST', '/Users'],
        ['GET', `/Users/${id}`],
        ['PATCH', `/Users/${id}`],
        ['PUT', `/Users/${id}`],
        ['DELETE', `/Users/${id}`],
        ['GET', '/ServiceProviderConfig'],
        ['GET', '/nothing'],
      ] as const) {
        const body = {
          externalId: 'bob',
          active: false,
          Operations: [{ op: 'replace', path: 'active', value: false }],
        };
        const answer = await scim(server, method, path + query, {
          ...request,
          ...(method.startsWith('P') && { body }),
        });
        expect([method, path, answer.status]).toEqual([method, path, 401]);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
        expect(answer.body).toEqual({ schemas: [ERROR], status: '401', detail: expect.any(String) });
      }
      expect(written).toEqual([]);
      expect(await canSignIn('alice')).toBe(true);
      expect(JSON.stringify(server.log)).not.toContain('that-nobody-could-guess');
    },
  );

  it('a connector without a token, and one that does not exist, have no endpoint, and look the same', async () => {
    const answers = await Promise.all(
      ['gamma', 'delta', 'development', '__proto__', 'ACME', '%61cme'].map(async (connector) => {
        const { status, body } = await scim(server, 'GET', '/Users', { connector });
        return [status, body.error];
      }),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set(['[404,"not_found"]']));
  });

  it('guesses from one address are limited; the right token is refused as well until the minute is over', async () => {
    await using strict = await startWithScim({ env: { FAILURE_LIMIT: '5' } });
    const guess = async (token: string) => (await scim(strict, 'GET', '/Users', { token })).status;
    for (let n = 0; n < 6; n += 1) expect(await guess(`guess-${n}`)).toBe(401);
    const { status, body, headers } = await scim(strict, 'GET', '/Users');
    expect([status, body.schemas, body.status]).toEqual([429, [ERROR], '429']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await strict.fetch('/token', { method: 'POST' })).status).toBe(400);
  });

  it('a provider that does not know a user of another connector cannot change it', async () => {
    const id = await provision(server, 'alice');
    const foreign = { connector: 'beta', token: OTHER_TOKEN };
    for (const method of ['GET', 'DELETE']) {
      expect((await scim(server, method, `/Users/${id}`, foreign)).status).toBe(404);
    }
    const body = { Operations: [{ op: 'replace', path: 'active', value: false }] };
    expect((await scim(server, 'PATCH', `/Users/${id}`, { ...foreign, body })).status).toBe(404);
    expect((await scim(server, 'GET', '/Users', foreign)).body.totalResults).toBe(0);
    expect(await canSignIn('alice')).toBe(true);
  });
});

describe('whom a user is', () => {
  it.each([
    [
      'the e-mail of a person',
      {
        externalId: 'somebody',
        userName: 'alice@acme.example',
        emails: [{ value: 'alice@acme.example', primary: true }],
      },
    ],
    ['the name of a person', { externalId: 'somebody', userName: 'alice' }],
    ['another spelling of a subject', { externalId: 'Alice' }],
    ['a subject with blanks', { externalId: ' alice' }],
    ['a subject in another form of Unicode', { externalId: 'al\u0131ce' }],
  ])('RFC 7643 §3.1 %s does not deactivate the person: only the subject as externalId does', async (_, user) => {
    const { status } = await scim(server, 'POST', '/Users', { body: { ...user, active: false } });
    expect(status).toBe(201);
    expect(await canSignIn('alice')).toBe(true);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['of blanks', '   '],
    ['no text', 5],
    ['a list', ['alice']],
    ['an object', { value: 'alice' }],
    ['too long', 'a'.repeat(256)],
    ['not well-formed', '\ud800'],
  ])('RFC 7643 §3.1 a user whose externalId is %s is refused', async (_, externalId) => {
    const { status, body } = await scim(server, 'POST', '/Users', { body: { userName: 'alice', externalId } });
    expect([status, body.scimType]).toEqual([400, 'invalidValue']);
    expect(written).toEqual([]);
  });

  it('a user that would become a person who is a user already is a conflict, and nothing changes', async () => {
    const [alice, bob] = [await provision(server, 'alice'), await provision(server, 'bob')];
    const { status, body } = await patch(server, bob, { op: 'replace', value: { externalId: 'alice', active: false } });
    expect([status, body.scimType]).toEqual([409, 'uniqueness']);
    expect((await scim(server, 'GET', `/Users/${alice}`)).body).toMatchObject({ externalId: 'alice', active: true });
    expect((await scim(server, 'GET', `/Users/${bob}`)).body).toMatchObject({ externalId: 'bob', active: true });
  });

  it('RFC 7644 §3.4.2.2 a userName that is the subject of somebody else does not find their user', async () => {
    const id = await provision(server, 'alice');
    expect(found(await byFilter(server, 'userName eq "alice"'))).toEqual([]);
    expect(found(await byFilter(server, 'userName eq "alice@acme.example"'))).toMatchObject([{ id }]);
    const unnamed = await scim(server, 'POST', '/Users', { body: { externalId: 'bob' } });
    expect(unnamed.status).toBe(201);
    expect(found(await byFilter(server, 'userName eq "bob"'))).toEqual([]);
    expect(found(await byFilter(server, 'externalId eq "bob"'))).toHaveLength(1);
  });

  it('what is stored of a user is its externalId, its state, times, and an HMAC of its name: no name and no address', async () => {
    const values: JsonObject[] = [];
    await using other = await startWithScim({
      store: {
        ...createSqliteStore(':memory:', systemClock),
        putIfAbsent: async (kind, _, value) => {
          if (kind.startsWith('Scim')) values.push(value);
          return store.putIfAbsent(kind, _, value, { ttl: 60 });
        },
        put: async (kind, _, value) => {
          if (kind.startsWith('Scim')) values.push(value);
        },
        get: (kind, id) => store.get(kind, id),
      },
    });
    await provision(other, '4711', {
      userName: 'alice@acme.example',
      name: { familyName: 'Liddell' },
      displayName: 'Alice',
    });
    expect(JSON.stringify(values)).not.toMatch(/alice|liddell|acme\.example/i);
    const members = values.flatMap((value) => Object.keys(value));
    expect([...new Set(members)].sort()).toEqual([
      'active', 'changedAt', 'createdAt', 'entries', 'externalId', 'id', 'userName',
    ]); // biome-ignore format: one list
  });
});

describe('odd requests', () => {
  it.each([
    'userName eq "alice" or userName eq "bob"',
    'externalId eq "x" or "1" eq "1"',
    'externalId eq "alice") or (externalId eq "bob"',
    '(externalId eq "alice")',
    'externalId ne "alice"',
    'externalId sw ""',
    'externalId pr',
    'not (externalId eq "x")',
    'emails[type eq "work"].value eq "alice@acme.example"',
    'emails.value eq "alice@acme.example"',
    'active eq true',
    'id eq "x"',
    'externalId eq',
    'externalId eq "alice',
    'externalId eq {"$ne":null}',
    'externalId eq ["alice"]',
    '__proto__ eq "x"',
    'constructor eq "x"',
    '',
    ' ',
    `externalId eq "${'a'.repeat(4_000)}"`,
  ])('RFC 7644 §3.4.2.2 the filter %j is refused as invalidFilter, and finds nobody', async (filter) => {
    await provision(server, 'alice');
    await provision(server, 'bob');
    const { status, body } = await byFilter(server, filter);
    expect([status, body.scimType, body.schemas]).toEqual([400, 'invalidFilter', [ERROR]]);
  });

  it.each(['alice"', '\\', "' OR '1'='1", '*', 'as:v1:*', '%00', '../../acme', '\u0000', '😀'])(
    'RFC 7644 §3.4.2.2 the value %j of a filter is compared as it is',
    async (value) => {
      await provision(server, 'alice');
      expect(found(await byFilter(server, `externalId eq ${JSON.stringify(value)}`))).toEqual([]);
      const id = await provision(server, value === '\u0000' ? 'zero' : value);
      if (value !== '\u0000') {
        expect(found(await byFilter(server, `externalId eq ${JSON.stringify(value)}`))).toMatchObject([{ id }]);
      }
    },
  );

  it.each([
    ['no JSON', 'active=false', 'invalidSyntax'],
    ['no operations', {}, 'invalidSyntax'],
    ['an empty list', { Operations: [] }, 'invalidSyntax'],
    [
      'too many',
      { Operations: Array.from({ length: 101 }, () => ({ op: 'add', path: 'x', value: 1 })) },
      'invalidSyntax',
    ],
    ['an unknown op', { Operations: [{ op: 'move', path: 'active', value: false }] }, 'invalidSyntax'],
    ['no op', { Operations: [{ path: 'active', value: false }] }, 'invalidSyntax'],
    ['an operation that is a text', { Operations: ['active'] }, 'invalidSyntax'],
    ['a value that is no boolean', { Operations: [{ op: 'replace', path: 'active', value: 'no' }] }, 'invalidValue'],
    ['a value that is null', { Operations: [{ op: 'replace', path: 'active', value: null }] }, 'invalidValue'],
    ['a value that is a number', { Operations: [{ op: 'replace', path: 'active', value: 0 }] }, 'invalidValue'],
    ['a path that is no text', { Operations: [{ op: 'replace', path: ['active'], value: false }] }, 'invalidPath'],
    ['remove without a path', { Operations: [{ op: 'remove', value: false }] }, 'noTarget'],
    ['remove of active', { Operations: [{ op: 'remove', path: 'active' }] }, 'mutability'],
    ['remove of externalId', { Operations: [{ op: 'Remove', path: 'externalId' }] }, 'mutability'],
    ['a value without a path that is a text', { Operations: [{ op: 'replace', value: 'active' }] }, 'invalidSyntax'],
    ['active twice', { Operations: [{ op: 'replace', value: { active: true, Active: false } }] }, 'invalidSyntax'],
    [
      'a wrong operation after a right one',
      {
        Operations: [
          { op: 'replace', path: 'active', value: false },
          { op: 'replace', path: 'externalId', value: 5 },
        ],
      },
      'invalidValue',
    ],
  ])('RFC 7644 §3.5.2 a PATCH with %s is refused, and changes nothing', async (_, body, scimType) => {
    const id = await provision(server, 'alice');
    const answer = await scim(server, 'PATCH', `/Users/${id}`, { body });
    expect([answer.status, answer.body.scimType]).toEqual([400, scimType]);
    expect((await scim(server, 'GET', `/Users/${id}`)).body.active).toBe(true);
  });

  it('RFC 7644 §3.12 a body above 64 KiB is 413, one that is not UTF-8 is 400', async () => {
    const large = { externalId: 'alice', displayName: 'a'.repeat(70_000) };
    expect((await scim(server, 'POST', '/Users', { body: large })).status).toBe(413);
    const response = await server.fetch('/scim/v2/acme/Users', {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: new Uint8Array([0x7b, 0x22, 0xff, 0xfe]),
    });
    expect(response.status).toBe(400);
    expect(written).toEqual([]);
  });

  it('RFC 9110 §15.5.6 a method that an address does not have is 405 and names those that it has', async () => {
    const id = await provision(server, 'alice');
    for (const [method, path, allow] of [
      ['DELETE', '/Users', 'GET, POST'],
      ['POST', `/Users/${id}`, 'GET, PUT, PATCH, DELETE'],
      ['POST', '/Groups', 'GET'],
      ['PUT', '/ServiceProviderConfig', 'GET'],
    ] as const) {
      const { status, headers } = await scim(server, method, path);
      expect([path, status, headers.get('allow')]).toEqual([path, 405, allow]);
    }
    for (const path of ['', '/', '/Bulk', '/Me', '/Groups/1', '/Users/a/b', '/.search']) {
      expect([path, (await scim(server, 'GET', path)).status]).toEqual([path, 404]);
    }
  });

  it('RFC 7644 §3.12 no body and no address makes the server fail, or somebody else inactive', async () => {
    const id = await provision(server, 'alice');
    const member = fc.constantFrom(
      'Operations',
      'op',
      'path',
      'value',
      'active',
      'externalId',
      'userName',
      'schemas',
      '__proto__',
    );
    const leaf = fc.oneof(
      fc.constantFrom<unknown>(
        'replace',
        'Add',
        'active',
        'False',
        'bob',
        null,
        true,
        -1,
        '',
        '\ud800',
        'x'.repeat(2_000),
      ),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(member, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    const target = fc.constantFrom(
      '/Users',
      `/Users/${id}`,
      '/Users/%00',
      `/Users/${'a'.repeat(500)}`,
      '/Users?filter=%ff',
    );
    const method = fc.constantFrom('POST', 'PUT', 'PATCH');
    await fc.assert(
      fc.asyncProperty(method, target, tree ?? leaf, async (verb, path, body) => {
        const { status, body: answer } = await scim(server, verb, path, { body: JSON.stringify(body) ?? 'undefined' });
        expect(status).toBeLessThan(500);
        if (status >= 400) expect(answer.schemas).toEqual([ERROR]);
      }),
      { numRuns: 300 },
    );
    expect(await canSignIn('carol')).toBe(true);
  });
});
