/** Proves that a logout ends everything that began before it, although the two times come from replicas whose clocks differ. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLOCK_DIFFERENCE, hasEnded } from '../../src/logout/clocks.ts';

/** Milliseconds of the true time. */
const instant = fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 });
/** Milliseconds by which the clock of the replica that saw the sign-in is ahead of the one that saw the logout. */
const ahead = fc.integer({ min: -CLOCK_DIFFERENCE * 1_000, max: CLOCK_DIFFERENCE * 1_000 });

const inSeconds = (milliseconds: number): number => Math.floor(milliseconds / 1_000);

describe('OpenID Connect Back-Channel Logout §2.7 a sign-in and a logout at two replicas', () => {
  it('a sign-in that was not after the logout has ended, whichever clock is ahead', () => {
    const before = fc.integer({ min: 0, max: 100_000_000 });
    fc.assert(
      fc.property(instant, before, ahead, (logout, earlier, difference) => {
        expect(hasEnded(inSeconds(logout - earlier + difference), inSeconds(logout))).toBe(true);
      }),
    );
  });

  it('a sign-in that was seven seconds after the logout or later goes on, whichever clock is ahead', () => {
    const after = fc.integer({ min: (2 * CLOCK_DIFFERENCE + 1) * 1_000, max: 100_000_000 });
    fc.assert(
      fc.property(instant, after, ahead, (logout, later, difference) => {
        expect(hasEnded(inSeconds(logout + later + difference), inSeconds(logout))).toBe(false);
      }),
    );
  });

  it('nothing has ended without a logout', () => {
    fc.assert(fc.property(instant, (since) => !hasEnded(inSeconds(since), undefined)));
  });
});
