/** Proves when a start is ended as one that hangs, and when it is only slow. */
import { type Limits, look, type Watched } from '@mcp-oauth/shared/start/watch';
import { describe, expect, it } from 'vitest';

const limits: Limits = { computing: 20_000, idle: 40, something: 100 };

/** @returns the look at which the start is ended, of many; `undefined`: none */
function endOf(spentAt: (look: number) => number): number | undefined {
  const watched: Watched = { beat: 0, worked: 0, looks: 0 };
  for (let n = 1; n <= 10_000; n += 1) if (look(watched, spentAt(n), limits)) return n;
  return undefined;
}

describe('a start without a sign of life', () => {
  it('a start that does nothing is ended, although the looks themselves take processor time', () => {
    expect(endOf(() => 0)).toBe(40);
    expect(endOf((n) => n)).toBe(40);
  });

  it('a start that computes without end is ended after so much processor time, however long that takes', () => {
    expect(endOf((n) => n * 500)).toBe(40);
    expect(endOf((n) => n * 10)).toBe(2_000);
  });

  it('a start that cannot end itself, as the first process of a container, is reported no more often than it is judged', () => {
    for (const spent of [0, 500]) {
      const watched: Watched = { beat: 0, worked: 0, looks: 0 };
      const looks = Array.from({ length: 120 }, (_, n) => look(watched, (n + 1) * spent, limits));
      expect(looks.filter((hangs) => hangs)).toHaveLength(3);
    }
  });

  it('a start that gets little processor time on a busy machine is not ended before it has used its own', () => {
    const slow = (n: number) => Math.min(n * 5, 5_000);
    expect(endOf(slow)).toBe(1_000 + 40);
  });
});
