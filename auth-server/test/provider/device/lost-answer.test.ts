/**
 * Proves that a device which polls again after its code was approved, at the same moment or because an answer was lost (RFC 8628 §3.5),
 * still gets its tokens, and that a later use of the code ends the approval.
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { refresh } from '../../support/client.ts';
import { type Codes, codesFor, ON, poll, registerDevice, startWithDevices, Visitor } from '../../support/device.ts';
import type { RunningServer } from '../../support/running-server.ts';

const GRACE = 30;

async function approved(server: RunningServer) {
  const client = await registerDevice(server);
  const codes: Codes = await codesFor(server, client);
  await new Visitor(server).approve(codes.user_code);
  return { client, codes };
}

describe('RFC 8628 §3.5 an approved device code that is polled again', () => {
  it('concurrent polls all get tokens, with one refresh token', async () => {
    await using server = await startWithDevices();
    const { client, codes } = await approved(server);
    const answers = await Promise.all(Array.from({ length: 6 }, () => poll(server, client, codes)));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(new Set(answers.map(({ json }) => json.refresh_token)).size).toBe(1);
    expect((await refresh(server, client, answers[0]?.json.refresh_token)).status).toBe(200);
  });

  it('a lost answer can be fetched again for as long as REFRESH_GRACE', async () => {
    const clock = new FakeClock(Date.now());
    await using server = await startWithDevices({ clock });
    const { client, codes } = await approved(server);
    const { json: lost } = await poll(server, client, codes);
    clock.advance(GRACE);
    const { status, json } = await poll(server, client, codes);
    expect([status, json.refresh_token]).toEqual([200, lost.refresh_token]);
    expect(server.log.filter(({ msg }) => msg === 'security')).toEqual([]);
  });

  it('a poll after the refresh token was used is invalid_grant, and the approval stays', async () => {
    await using server = await startWithDevices();
    const { client, codes } = await approved(server);
    const { json } = await poll(server, client, codes);
    const next = (await (await refresh(server, client, json.refresh_token)).json()) as { refresh_token: string };
    expect((await poll(server, client, codes)).json.error).toBe('invalid_grant');
    expect((await refresh(server, client, next.refresh_token)).status).toBe(200);
  });

  it('a later use ends the approval, and is named in the log', async () => {
    const clock = new FakeClock(Date.now());
    await using server = await startWithDevices({ clock });
    const { client, codes } = await approved(server);
    const { json } = await poll(server, client, codes);
    clock.advance(GRACE + 1);
    expect((await poll(server, client, codes)).json.error).toBe('invalid_grant');
    expect((await refresh(server, client, json.refresh_token)).status).toBe(400);
    expect(server.log).toContainEqual(expect.objectContaining({ level: 'warn', threat: 'device code reused' }));
  });

  it('with REFRESH_GRACE=0s exactly one of many concurrent polls gets the tokens, and they stay valid', async () => {
    await using server = await startWithDevices({ env: { ...ON, REFRESH_GRACE: '0s' } });
    const { client, codes } = await approved(server);
    const answers = await Promise.all(Array.from({ length: 6 }, () => poll(server, client, codes)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect((await refresh(server, client, won[0]?.json.refresh_token)).status).toBe(200);
  });

  it('a refusal of the person is told again', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const codes = await codesFor(server, client);
    const visitor = new Visitor(server);
    const { response } = await visitor.confirm(codes.user_code);
    await visitor.browser.submit(response, 'deny');
    const answers = await Promise.all([poll(server, client, codes), poll(server, client, codes)]);
    expect(answers.map(({ json }) => json.error)).toEqual(['access_denied', 'access_denied']);
  });
});
