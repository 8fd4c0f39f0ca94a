/** Proves what happens while a status list can't be read, when its issuer changes its key, and what the operator sees of it. */
import { describe, expect, it } from 'vitest';
import { signingKey } from '../support/issuer.ts';
import { ACCEPTED, lines, list, ours, pass, refused, republish, restart, server, setStage, sign } from './stage.ts';

setStage();

describe('a list that cannot be read', () => {
  it('the last copy counts for STATUS_GRACE; then tokens get 503 until the list is back', async () => {
    const token = await sign({ ...list.status(8), exp: server.clock.now() / 1000 + 3_000 });
    expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    list.answer((_, res) => void res.writeHead(500).end());
    await pass(299);
    expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    await pass(5);
    const answer = await server.whoami(token);
    expect(answer).toMatchObject({
      ...refused('status_unavailable', 503),
      mend: expect.stringContaining('STATUS_UNAVAILABLE'),
    });
    await republish();
    await pass();
    await expect.poll(() => server.whoami(token)).toMatchObject(ACCEPTED);
    expect(lines('status list read again').length).toBeLessThanOrEqual(1);
  });

  it('STATUS_UNAVAILABLE=accept: tokens go on after STATUS_GRACE, and what was marked stays refused', async () => {
    await restart({ STATUS_UNAVAILABLE: 'accept' });
    const exp = server.clock.now() / 1000 + 3_000;
    await list.publish([7]);
    const [ended, token] = [await sign({ ...list.status(7), exp }), await sign({ ...list.status(8), exp })];
    expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    list.answer((_, res) => void res.writeHead(500).end());
    await pass(900);
    expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    expect(await server.whoami(ended)).toMatchObject(refused('revoked'));
  });

  it.each([600, 90 * 86_400])(
    'a server that was paused reads the list before it refuses: a token of %s s is accepted',
    async (lifetime) => {
      const token = await sign({ ...list.status(8), exp: server.clock.now() / 1000 + lifetime });
      expect(await server.whoami(token)).toMatchObject(ACCEPTED);
      server.clock.advance(400);
      expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    },
  );

  it('a copy counts no longer than the list itself says', async () => {
    const token = await sign(list.status(8));
    await list.publish([], { claims: { exp: server.clock.now() / 1000 + 60 } });
    expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    list.answer((_, res) => void res.writeHead(500).end());
    await pass(61);
    expect(await server.whoami(token)).toMatchObject(refused('status_unavailable', 503));
  });

  it('the time of a list that was never read counts from its first need', async () => {
    list.answer((_, res) => void res.writeHead(500).end());
    const token = await sign({ ...list.status(8), exp: server.clock.now() / 1000 + 3_000 });
    expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    await pass(299);
    expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    await pass(5);
    expect(await server.whoami(token)).toMatchObject(refused('status_unavailable', 503));
  });

  it.each(['refuse', 'accept'])(
    'a token that lives longer than an hour is refused after three times STATUS_MAX_AGE, with STATUS_UNAVAILABLE=%s too',
    async (choice) => {
      await restart({ STATUS_UNAVAILABLE: choice });
      const token = await sign({ ...list.status(8), exp: server.clock.now() / 1000 + 90 * 86_400 });
      expect(await server.whoami(token)).toMatchObject(ACCEPTED);
      list.answer((_, res) => void res.writeHead(500).end());
      await pass(14);
      expect(await server.whoami(token)).toMatchObject(ACCEPTED);
      await pass(4);
      expect(await server.whoami(token)).toMatchObject(refused('status_unavailable', 503));
    },
  );

  it('a list that never answers holds up a request for seconds at most, and later requests not at all', async () => {
    list.answer(() => {});
    expect(await server.whoami(await sign(list.status(8)))).toMatchObject(ACCEPTED);
    server.clock.advance(5);
    expect(await server.whoami(await sign(list.status(9)))).toMatchObject(ACCEPTED);
  });
});

describe('RFC 7517 §5 a list that is signed by another key than before', () => {
  it('the keys are read again at once, and the tokens of a withdrawn key end with it', async () => {
    const token = await sign(list.status(8));
    expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    const next = await signingKey('key-2');
    ours.issuer.keys.splice(0, 1, next.publicJwk);
    await list.publish([], { key: next });
    await pass();
    await expect.poll(() => server.whoami(token)).toMatchObject(refused('unknown_key'));
    expect(await server.whoami(await sign(list.status(8), ours, next))).toMatchObject(ACCEPTED);
  });

  it('a key that was announced before it signs ends the tokens of the former one all the same', async () => {
    const next = await signingKey('key-2');
    ours.issuer.keys.push(next.publicJwk);
    const token = await sign(list.status(8));
    expect(await server.whoami(token)).toMatchObject(ACCEPTED);
    ours.issuer.keys.splice(0, 1);
    await list.publish([], { key: next });
    await pass();
    await expect.poll(() => server.whoami(token)).toMatchObject(refused('unknown_key'));
  });
});

describe('what the operator sees of status lists', () => {
  it('the readiness probe and the metrics say how old the copies are, and how many could not be read', async () => {
    expect(await server.whoami(await sign(list.status(8)))).toMatchObject(ACCEPTED);
    const state = async () => ((await (await server.fetch('/readyz')).json()) as { statusLists: unknown }).statusLists;
    expect(await state()).toEqual({ ours: '1 read' });
    list.answer((_, res) => void res.writeHead(500).end());
    await pass(60);
    await expect.poll(state).toEqual({ ours: '1 of 1 not read for 60 s' });
    const { values } = await server.scrape();
    expect(values.get('mcp_status_list_age_seconds{issuer="ours"}')).toBe(60);
    expect(values.get('mcp_issuer_fetch_failures_total{document="status list",issuer="ours"}')).toBe(1);
  });
});
