/** Owns the stage of the tests of status lists: two issuers, a server that accepts the tokens of both, and a list of the first one. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type Foreign, type ForeignServer, startForeign, startServer } from '../support/foreign.ts';
import { type SigningKey, signToken } from '../support/issuer.ts';
import { type PublishedList, publishList } from '../support/status-lists.ts';

export let ours: Foreign;
export let theirs: Foreign;
export let server: ForeignServer;
export let list: PublishedList;

/** Starts the server anew, with a list that marks nothing. */
export async function restart(more: Readonly<Record<string, string>> = {}): Promise<void> {
  await server?.[Symbol.asyncDispose]();
  const urls = { ISSUER_OURS_URL: ours.issuer.url, ISSUER_THEIRS_URL: theirs.issuer.url };
  server = await startServer({ ISSUERS: 'ours,theirs', ...urls, ...more });
  await republish();
}

/** The list as it was at first: nothing is marked, and it answers as it should. */
export async function republish(): Promise<void> {
  list = await publishList(ours, server.clock);
}

/** Sets the stage for each test of a file. */
export function setStage(): void {
  beforeAll(async () => {
    [ours, theirs] = await Promise.all([startForeign('', 'ES256'), startForeign('', 'ES256')]);
  });
  afterAll(() => Promise.all([ours.issuer.close(), theirs.issuer.close()]));
  beforeEach(() => restart());
  afterEach(async () => {
    ours.issuer.up = true;
    ours.issuer.keys.splice(0, 9, ours.key.publicJwk);
    await server[Symbol.asyncDispose]();
  });
}

const claims = (more: object, { issuer }: Foreign) => {
  const now = server.clock.now() / 1000;
  const about = { aud: `${server.url}/mcp`, sub: 'ada', client_id: 'desk', scope: 'mcp:tools' };
  return { iss: issuer.url, ...about, iat: now, exp: now + 600, ...more };
};

export const sign = (more: object = {}, issuer = ours, key: SigningKey = issuer.key): Promise<string> =>
  signToken({ key, claims: claims(more, issuer) });

export const ACCEPTED = { subject: 'ada' };
export const refused = (reason: string, status = 401) => ({ status, reason });

/** Lets so many seconds pass, and waits until the list was asked for again. */
export async function pass(seconds = 5): Promise<void> {
  const before = list.answers.length;
  server.clock.advance(seconds);
  await expect.poll(() => list.answers.length).toBeGreaterThan(before);
}

/** Lines of the log with this message. */
export const lines = (msg: string) => server.log.map((text) => JSON.parse(text)).filter((line) => line.msg === msg);
