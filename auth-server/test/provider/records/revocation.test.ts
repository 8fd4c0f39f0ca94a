/**
 * Proves that a revoked grant stays revoked (RFC 7009 §2.1, RFC 9700 §4.14.2), whatever happens between two steps of
 * the store, and at whichever step the store fails.
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, type TestClient } from '../../support/client.ts';
import { form, type RunningServer, read, startServer } from '../../support/running-server.ts';
import { createSteppedStore, type SteppedStore } from '../../support/stepped-store.ts';
import { STORES, storesOf } from '../../support/stores.ts';

/** Redis has a clock of its own, which runs during a test: longer than the grace period of 30 s. */
const AFTER_GRACE = 180;

let clock: FakeClock;
let steps: SteppedStore;
let server: RunningServer;
let client: TestClient;

/** A person's approval of a client, which is about to be revoked. */
interface Family {
  readonly browser: Browser;
  readonly code: string;
  /** A refresh token that was used a moment ago. */
  readonly spent: string;
  readonly live: string;
  /** A code of the same approval, not redeemed yet. */
  readonly otherCode: string;
}

async function approved(): Promise<Family> {
  const browser = new Browser(server);
  const { code } = await authorize(server, client, {}, { browser });
  const spent = String((await read(await redeem(server, client, code))).refresh_token);
  const live = String((await read(await refresh(server, client, spent))).refresh_token);
  const { code: otherCode } = await authorize(server, client, {}, { browser });
  return { browser, code, spent, live, otherCode };
}

const revoke = (token: string) => server.fetch('/revoke', form({ token, client_id: client.id }));

type Ending = readonly [name: string, end: (family: Family) => Promise<Response>];

const ENDINGS: readonly Ending[] = [
  ['RFC 7009 §2.1 the revocation of a live token', ({ live }) => revoke(live)],
  ['RFC 7009 §2.1 the revocation of a spent token', ({ spent }) => revoke(spent)],
  [
    'RFC 9700 §4.14.2 the reuse of a spent token',
    async ({ spent }) => {
      clock.advance(AFTER_GRACE);
      const answer = await refresh(server, client, spent);
      // A client that is still within the grace period must get nothing either.
      clock.advance(-AFTER_GRACE);
      return answer;
    },
  ],
  ['RFC 6749 §4.1.2 the reuse of a code', ({ code }) => redeem(server, client, code)],
];

/** The person approves more than before. */
async function approveMore({ browser }: Family): Promise<string> {
  const { page } = await browser.follow(authorizePath(client, { scope: 'mcp:tools mcp:admin', prompt: 'consent' }));
  const { outside } = await browser.submit(page, 'approve');
  return outside?.searchParams.get('code') ?? '';
}

const tokensIn = async (answer: Promise<Response>): Promise<readonly string[]> => {
  const { refresh_token } = await read(await answer);
  return typeof refresh_token === 'string' ? [refresh_token] : [];
};

/** @returns the refresh tokens that were issued */
type Meanwhile = readonly [name: string, happen: (family: Family) => Promise<readonly string[]>];

const MEANWHILE: readonly Meanwhile[] = [
  [
    'another approval',
    async (family) => {
      await approveMore(family);
      return [];
    },
  ],
  ['a refresh', ({ live }) => tokensIn(refresh(server, client, live))],
  ['a refresh within the grace window', ({ spent }) => tokensIn(refresh(server, client, spent))],
  ['the exchange of another code', ({ otherCode }) => tokensIn(redeem(server, client, otherCode))],
];

async function expectDead(tokens: readonly string[], where: string): Promise<void> {
  for (const [n, token] of tokens.entries()) {
    const answer = await refresh(server, client, token);
    expect([answer.status, (await read(answer)).error], `${where}, token ${n}`).toEqual([400, 'invalid_grant']);
  }
}

describe.each(STORES)('RFC 7009 §2.1, RFC 9700 §4.14.2 the end of an approval on %s', (kind) => {
  const open = storesOf(kind);

  beforeEach(async () => {
    clock = new FakeClock(Date.now());
    steps = createSteppedStore(await open(clock));
    server = await startServer({ store: steps.store, clock });
    client = await register(server);
    return () => server[Symbol.asyncDispose]();
  });

  const pairs = ENDINGS.flatMap(([ending, end]) =>
    MEANWHILE.map(([other, happen]) => ({ ending, end, other, happen })),
  );

  it.each(pairs)('$ending is final, at whatever step of $other it comes', async ({ end, happen }) => {
    const family = await approved();
    const all = await steps.count(() => happen(family));
    expect(all).toBeGreaterThan(2);
    for (let step = 0; step < all; step += 1) {
      const family = await approved();
      const born = await steps.between({ step, other: () => end(family) }, () => happen(family));
      await expectDead([...born, family.live, family.spent], `before call ${step} of ${all}`);
    }
  });

  const losses = ENDINGS.flatMap(([ending, end]) =>
    (['once', 'from then on'] as const).map((loss) => ({ ending, end, loss })),
  );

  it.each(losses)('$ending is final once it is answered, although the store failed $loss', async ({ end, loss }) => {
    const last = await approved();
    const all = await steps.count(() => end(last));
    let lost = 0;
    for (let step = 0; step < all; step += 1) {
      const family = await approved();
      const first = await steps.without({ step, loss }, () => end(family));
      if (first.status === 503) {
        lost += 1;
        expect((await end(family)).status).toBeLessThan(500);
      }
      await expectDead([family.live, family.spent], `lost at call ${step} of ${all}`);
    }
    expect(lost).toBeGreaterThan(2);
  });

  it.each(ENDINGS)('%s does not prevent another approval, which revives no old token', async (_, end) => {
    const family = await approved();
    await end(family);
    const [fresh = ''] = await tokensIn(redeem(server, client, await approveMore(family)));
    await expectDead([family.live, family.spent], 'after another approval');
    expect((await refresh(server, client, fresh)).status).toBe(200);
  });
});
