/** Proves that an outage is logged once, however often it is retried and however many connections notice it. */
import { createOutage } from '@mcp-oauth/shared/network/outage';
import { expect, it } from 'vitest';

it('an outage reports its start, each new reason once, and its end', () => {
  const outage = createOutage();
  const begun = ['refused', 'refused', 'again after 50ms', 'again after 100ms', 'refused'].map(outage.begin);
  expect(begun).toEqual(['first', undefined, 'first', undefined, undefined]);
  expect([outage.isAway, outage.end(), outage.end(), outage.isAway]).toEqual([true, 'first', undefined, false]);
});

it('an outage reports each status of an answer: a gateway that is down, and then credentials that are refused', () => {
  const outage = createOutage();
  const answered = (status: number) => `http://127.0.0.1:8080/introspect answered ${status}`;
  const begun = [502, 502, 401, 403, 401].map((status) => outage.begin(answered(status)));
  expect(begun).toEqual(['first', undefined, 'first', 'first', undefined]);
});

it('an outage that is over can begin again', () => {
  const outage = createOutage();
  expect(outage.end()).toBe('first');
  for (const _ of [1, 2]) {
    expect([outage.begin('refused'), outage.begin('refused'), outage.end(), outage.end()]).toEqual([
      'again',
      undefined,
      'again',
      undefined,
    ]);
  }
});
