/**
 * Proves that a token whose reference is marked in the status list of its issuer is refused (Token Status List), and which lists are
 * accepted.
 */
import { deflateSync, gzipSync } from 'node:zlib';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { describe, expect, it } from 'vitest';
import { MOST_LISTS } from '../../src/authorization/status/status-lists.ts';
import { signingKey } from '../support/issuer.ts';
import { type PublishedList, publishList } from '../support/status-lists.ts';
import { ACCEPTED, lines, list, ours, pass, refused, restart, server, setStage, sign, theirs } from './stage.ts';

setStage();

describe('Token Status List §8.3 a token that refers to a list', () => {
  it('a token that is not marked is accepted, and one request serves all tokens of a list', async () => {
    for (const idx of [0, 1, 2, 4_095])
      expect(await server.whoami(await sign(list.status(idx)))).toMatchObject(ACCEPTED);
    expect(list.answers).toEqual([200]);
  });

  it('RFC 9110 §13.1.2 a list that has not changed is confirmed by a conditional request', async () => {
    expect(await server.whoami(await sign(list.status(1)))).toMatchObject(ACCEPTED);
    await pass();
    expect(list.answers).toEqual([200, 304]);
    await list.publish([7]);
    await pass();
    expect(list.answers.at(-1)).toBe(200);
  });

  it('a token that is marked is refused, also if it was verified a moment ago', async () => {
    const [ended, other] = [await sign(list.status(7)), await sign(list.status(8))];
    expect(await server.whoami(ended)).toMatchObject(ACCEPTED);
    await list.publish([7]);
    await pass();
    await expect.poll(() => server.whoami(ended)).toMatchObject({ ...refused('revoked'), claim: 'status' });
    expect(await server.whoami(other)).toMatchObject(ACCEPTED);
  });

  it('a token of an entry that was marked before is refused at its first request', async () => {
    await list.publish([9]);
    expect(await server.whoami(await sign(list.status(9)))).toMatchObject(refused('revoked'));
  });

  it('a token without a reference, or with a claim of another kind, is accepted as before', async () => {
    for (const status of [undefined, null, 'active', 1, [], {}, { status_list: null }, { other: { idx: 1 } }])
      expect(await server.whoami(await sign({ status }))).toMatchObject(ACCEPTED);
    expect(list.answers).toEqual([]);
  });

  it('STATUS_MAX_AGE=off: no list is read, and references do not count', async () => {
    await restart({ STATUS_MAX_AGE: 'off' });
    await list.publish([7]);
    expect(await server.whoami(await sign(list.status(7)))).toMatchObject(ACCEPTED);
    expect(await server.whoami(await sign({ status: { status_list: { idx: -1, uri: 'x' } } }))).toMatchObject(ACCEPTED);
    expect(list.answers).toEqual([]);
  });

  it('RFC 7515 §5.2 an index that somebody has altered in the token breaks its signature', async () => {
    await list.publish([7]);
    const [header, body = '', signature] = (await sign(list.status(7))).split('.');
    const altered = { ...JSON.parse(Buffer.from(body, 'base64url').toString()), ...list.status(8) };
    const text = Buffer.from(JSON.stringify(altered)).toString('base64url');
    expect(await server.whoami(`${header}.${text}.${signature}`)).toMatchObject(refused('bad_signature'));
  });

  it.each([
    ['the list of its issuer', () => list.uri],
    ['a list elsewhere', () => `${theirs.issuer.url}/status/1`],
  ])('CWE-918 a forged token that refers to %s is refused, and nothing is asked there', async (_, uri) => {
    const forger = await signingKey(ours.key.kid, ours.key.algorithm);
    const before = [ours, theirs].map(({ issuer }) => issuer.requests.filter((path) => path.startsWith('/status')));
    const token = await sign({ status: { status_list: { idx: 1, uri: uri() } } }, ours, forger);
    expect(await server.whoami(token)).toMatchObject(refused('bad_signature'));
    const after = [ours, theirs].map(({ issuer }) => issuer.requests.filter((path) => path.startsWith('/status')));
    expect(after).toEqual(before);
  });

  it.each([-1, 1.5, '3', null, undefined, 2 ** 40, Number.NaN, 4_096, 100_000])(
    'a token with the index %s, which the list does not have, is refused',
    async (idx) => {
      expect(await server.whoami(await sign({ status: { status_list: { idx, uri: list.uri } } }))).toMatchObject(
        refused('wrong_status'),
      );
    },
  );

  it('a list that has grown is read again before its new index is refused', async () => {
    const grown = (entries: number) => ({ bits: 1, lst: deflateSync(Buffer.alloc(entries / 8)).toString('base64url') });
    await list.publish([], { claims: { status_list: grown(8) } });
    expect(await server.whoami(await sign(list.status(1)))).toMatchObject(ACCEPTED);
    server.clock.advance(1);
    await list.publish([], { claims: { status_list: grown(16) } });
    expect(await server.whoami(await sign(list.status(9)))).toMatchObject(ACCEPTED);
    expect(await server.whoami(await sign(list.status(16)))).toMatchObject(refused('wrong_status'));
  });

  it.each([
    ['another host', () => 'http://elsewhere.example/status/1'],
    ['another issuer', () => `${theirs.issuer.url}/status/1`],
    ['a user in it', () => list.uri.replace('://', '://user@')],
    ['a fragment', () => `${list.uri}#x`],
    ['another scheme', () => 'file:///etc/passwd'],
    ['no URL', () => 'status/1'],
    ['more characters than any URI has', () => `${list.uri}?${'x'.repeat(2_000)}`],
  ])('CWE-918 a reference to %s is refused, and nothing is asked there', async (_, uri) => {
    const { requests } = theirs.issuer;
    const before = requests.length;
    const token = await sign({ status: { status_list: { idx: 1, uri: uri() } } });
    expect(await server.whoami(token)).toMatchObject({
      ...refused('wrong_status'),
      setting: 'ISSUER_OURS_STATUS_LIST_ORIGINS',
    });
    expect(requests).toHaveLength(before);
  });

  it('STATUS_LIST_ORIGINS names another place, and the list there is still signed by the issuer of the token', async () => {
    await restart({ ISSUER_OURS_STATUS_LIST_ORIGINS: new URL(theirs.issuer.url).origin });
    const there = await publishList({ ...ours, issuer: theirs.issuer }, server.clock);
    await there.publish([3]);
    expect(await server.whoami(await sign(there.status(3)))).toMatchObject(refused('revoked'));
    await restart({ ISSUER_OURS_STATUS_LIST_ORIGINS: new URL(theirs.issuer.url).origin });
    const signedByThem = await publishList(theirs, server.clock);
    await signedByThem.publish([3]);
    expect(await server.whoami(await sign(signedByThem.status(3)))).toMatchObject(ACCEPTED);
    expect(lines('status list not read')).toMatchObject([{ reason: expect.stringContaining('signature') }]);
  });

  it('a list of one issuer marks no token of another, though both name the same URI', async () => {
    await restart({ ISSUER_THEIRS_STATUS_LIST_ORIGINS: new URL(ours.issuer.url).origin });
    await list.publish([5]);
    expect(await server.whoami(await sign(list.status(5), theirs))).toMatchObject(ACCEPTED);
    expect(await server.whoami(await sign(list.status(5)))).toMatchObject(refused('revoked'));
  });

  it('an issuer has a limited number of lists at a time, and a list is forgotten with its last token', async () => {
    const lists = [];
    for (let n = 0; n <= MOST_LISTS; n += 1) lists.push(await publishList(ours, server.clock, `/status/many-${n}`));
    const said = [];
    for (const one of lists) said.push(await server.whoami(await sign(one.status(1))));
    expect(said.slice(0, MOST_LISTS)).toEqual(said.slice(0, MOST_LISTS).map(() => expect.objectContaining(ACCEPTED)));
    expect(said.at(-1)).toMatchObject(refused('wrong_status'));
    server.clock.advance(700);
    const last = lists.at(-1) as PublishedList;
    await expect.poll(async () => server.whoami(await sign(last.status(1)))).toMatchObject(ACCEPTED);
  });
});

describe('Token Status List §5.1, §8.3 a list that is not believed', () => {
  const bomb = () => deflateSync(Buffer.alloc(64 * 1024 * 1024)).toString('base64url');
  const now = () => server.clock.now() / 1000;
  const flaws: Readonly<Record<string, () => Promise<unknown>>> = {
    'signed by another issuer': () => list.publish([], { key: theirs.key }),
    'signed by a key that nobody publishes': async () => list.publish([], { key: await signingKey('key-9') }),
    'about another URI': () => list.publish([], { claims: { sub: `${list.uri}2` } }),
    'of another issuer by its iss': () => list.publish([], { claims: { iss: theirs.issuer.url } }),
    'that has expired': () => list.publish([], { claims: { iat: now() - 900, exp: now() - 60 } }),
    'from the future': () => list.publish([], { claims: { iat: now() + 600 } }),
    'of another typ': () => list.publish([], { typ: 'at+jwt' }),
    'without iat': () => list.publish([], { claims: { iat: undefined } }),
    'with a width that does not exist': () => list.publish([], { claims: { status_list: { bits: 3, lst: 'eJw' } } }),
    'that is no zlib text': () => list.publish([], { claims: { status_list: { bits: 1, lst: '!!!!' } } }),
    'that is cut off': async () => {
      const lst = deflateSync(Buffer.alloc(512)).toString('base64url').slice(0, -4);
      return list.publish([], { claims: { status_list: { bits: 1, lst } } });
    },
    'that inflates to 64 MiB': () => list.publish([], { claims: { status_list: { bits: 1, lst: bomb() } } }),
    'that is no JWT': async () => list.replace('nothing'),
    'that is empty': async () => list.replace(''),
    'larger than any list': async () => list.replace('x'.repeat(3 * 1024 * 1024)),
    'in a content coding': async () =>
      list.answer((_, res) => void res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'))),
    'behind a redirect': async () => list.answer((_, res) => void res.writeHead(302, { location: '/status/2' }).end()),
    'that is not there': async () => list.answer((_, res) => void res.writeHead(404).end()),
    'behind an error': async () => list.answer((_, res) => void res.writeHead(500).end()),
    'whose connection breaks': async () => list.answer((_, res) => void res.destroy()),
  };

  it.each(Object.entries(flaws))('a list %s replaces no copy: what was marked stays marked', async (_, spoil) => {
    await list.publish([7]);
    const [ended, other] = [await sign(list.status(7)), await sign(list.status(8))];
    expect(await server.whoami(ended)).toMatchObject(refused('revoked'));
    await spoil();
    server.log.length = 0;
    server.clock.advance(5);
    await expect.poll(() => lines('status list not read')).toHaveLength(1);
    expect(await server.whoami(ended)).toMatchObject(refused('revoked'));
    expect(await server.whoami(other)).toMatchObject(ACCEPTED);
  });

  it('RFC 9110 §15.4.5 an answer 304 to a request without a condition is no list', async () => {
    list.answer((_, res) => void res.writeHead(304).end());
    expect(await server.whoami(await sign(list.status(1)))).toMatchObject(ACCEPTED);
    expect(lines('status list not read')).toMatchObject([{ reason: expect.stringContaining('answered 304') }]);
  });

  it('a redirect to another host is not followed', async () => {
    const asked: string[] = [];
    await using other = await serve((req, res) => {
      asked.push(req.url ?? '');
      res.end();
    });
    list.answer((_, res) => void res.writeHead(302, { location: `${other.url}/status/1` }).end());
    expect(await server.whoami(await sign(list.status(1)))).toMatchObject(ACCEPTED);
    expect(asked).toEqual([]);
  });

  it('a list that somebody kept and plays back takes no mark away', async () => {
    const kept = await list.publish([3]);
    const ended = await sign(list.status(7));
    expect(await server.whoami(ended)).toMatchObject(ACCEPTED);
    server.clock.advance(2);
    await list.publish([7]);
    await pass(3);
    await expect.poll(() => server.whoami(ended)).toMatchObject(refused('revoked'));
    list.replace(kept);
    for (let n = 0; n < 2; n += 1) await pass();
    expect(await server.whoami(ended)).toMatchObject(refused('revoked'));
  });

  it('a list whose issuer lost its last mark is read on: nobody else is refused, and the mark stays', async () => {
    const exp = server.clock.now() / 1000 + 3_000;
    const before = await list.publish([3]);
    const [ended, other] = [await sign({ ...list.status(7), exp }), await sign({ ...list.status(8), exp })];
    expect(await server.whoami(other)).toMatchObject(ACCEPTED);
    server.clock.advance(2);
    await list.publish([7]);
    await pass(3);
    await expect.poll(() => server.whoami(ended)).toMatchObject(refused('revoked'));
    list.replace(before);
    // Together they are longer than STATUS_GRACE.
    for (const seconds of [290, 290]) await pass(seconds);
    expect(await server.whoami(other)).toMatchObject(ACCEPTED);
    expect(await server.whoami(ended)).toMatchObject(refused('revoked'));
  });

  it('an older list with the same marks confirms the copy: replicas of an issuer sign at different times', async () => {
    const [older, token] = [
      await list.publish([7]),
      await sign({ ...list.status(8), exp: server.clock.now() / 1000 + 3_000 }),
    ];
    server.clock.advance(2);
    await list.publish();
    expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    list.replace(older);
    // Together they are longer than STATUS_GRACE.
    for (const seconds of [290, 290]) await pass(seconds);
    expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    expect(await server.whoami(await sign(list.status(7)))).toMatchObject(refused('revoked'));
  });

  it('an issuer may take a mark back: a newer list counts as it is', async () => {
    await list.publish([7]);
    const token = await sign(list.status(7));
    expect(await server.whoami(token)).toMatchObject(refused('revoked'));
    server.clock.advance(1);
    const lst = deflateSync(Buffer.alloc(512)).toString('base64url');
    await list.publish([], { claims: { status_list: { bits: 1, lst } } });
    await pass(4);
    await expect.poll(() => server.whoami(token)).toMatchObject(ACCEPTED);
  });

  it.each([2, 4, 8])('§7 in a list with %s bits for each entry, any value but 0 is refused', async (bits) => {
    const bytes = Buffer.alloc(64);
    bytes.writeUInt8(2 << ((bits * 3) % 8), (bits * 3) >> 3);
    await list.publish([], { claims: { status_list: { bits, lst: deflateSync(bytes).toString('base64url') } } });
    for (const idx of [2, 4]) expect(await server.whoami(await sign(list.status(idx)))).toMatchObject(ACCEPTED);
    expect(await server.whoami(await sign(list.status(3)))).toMatchObject(refused('revoked'));
    expect(await server.whoami(await sign(list.status((64 * 8) / bits)))).toMatchObject(refused('wrong_status'));
  });
});
