/** Proves that explain-token says of a token with a status reference what the server would say, and what of its list is known. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkOf, refusedIn, tell } from '../support/explained-token.ts';
import { type Foreign, type ForeignServer, startForeign, startServer } from '../support/foreign.ts';
import { signToken } from '../support/issuer.ts';
import { type PublishedList, publishList } from '../support/status-lists.ts';

let issuer: Foreign;
let server: ForeignServer;
let list: PublishedList;
beforeAll(async () => {
  issuer = await startForeign('', 'ES256');
});
afterAll(() => issuer.issuer.close());
beforeEach(async () => {
  server = await startServer({ ISSUER: issuer.issuer.url });
  list = await publishList(issuer, server.clock);
});
afterEach(() => server[Symbol.asyncDispose]());

const sign = (more: object) => {
  const now = server.clock.now() / 1000;
  const about = { iss: issuer.issuer.url, aud: `${server.url}/mcp`, sub: 'ada', client_id: 'desk', scope: 'mcp:tools' };
  return signToken({ key: issuer.key, claims: { ...about, iat: now, exp: now + 600, ...more } });
};
const explain = async (more: object, words: readonly string[] = []) =>
  tell(server, { ISSUER: issuer.issuer.url }, await sign(more), words);

describe('Token Status List §8.3 explain-token of a token with a status reference', () => {
  it('explain-token says that a token was revoked, and whose turn it is', async () => {
    await list.publish([7]);
    const told = await explain(list.status(7));
    expect(told).toMatchObject({ status: 1, accepted: false, turn: ['issuer'] });
    expect(refusedIn(told)).toMatchObject([{ check: 'status', reason: 'revoked', found: `7 of ${list.uri}` }]);
    expect(checkOf(told, 'signature')?.result).toBe('accepted');
  });

  it('explain-token shows the entry of a token that is not marked', async () => {
    const told = await explain(list.status(7));
    expect(told).toMatchObject({ status: 0, accepted: true });
    expect(checkOf(told, 'status')).toEqual({ check: 'status', result: 'accepted', found: `7 of ${list.uri}` });
  });

  it('explain-token says why a list could not be read, and that the token is accepted for a while', async () => {
    list.answer((_, res) => void res.writeHead(404).end());
    const told = await explain(list.status(7));
    expect(told.status).toBe(0);
    expect(checkOf(told, 'status')).toMatchObject({
      result: 'unchecked',
      note: expect.stringContaining('answered 404'),
    });
  });

  it('explain-token --offline reads no list, and neither does a token that is refused for something else', async () => {
    await list.publish([7]);
    const offline = await explain(list.status(7), ['--offline']);
    expect(checkOf(offline, 'status')).toMatchObject({ result: 'unchecked' });
    const other = await explain({ ...list.status(7), aud: 'https://other.example' });
    expect(refusedIn(other).map(({ reason }) => reason)).toEqual(['wrong_audience']);
    expect(checkOf(other, 'status')).toMatchObject({ result: 'unchecked' });
    expect(list.answers).toEqual([]);
  });
});
