/** Proves that a process warns when it runs on a Node.js release without the known security fixes. */
import { describe, expect, it } from 'vitest';
import { newerSecurityRelease, SECURITY_RELEASES } from '../../src/start/security-release.ts';

describe('the security releases of Node.js', () => {
  it.each([
    ['24.21.0', '24.22.1'],
    ['24.22.0', '24.22.1'],
    ['24.9.9', '24.22.1'],
    ['v24.0.0', '24.22.1'],
    ['26.12.0', '26.12.1'],
    ['26.10.0', '26.12.1'],
    ['22.23.3', '22.23.4'],
  ])('%s is older than the security release of its line, %s', (version, expected) => {
    expect(newerSecurityRelease(version)).toBe(expected);
  });

  it.each(['24.22.1', '24.22.2', '24.23.0', '24.100.0', '26.12.1', '22.23.4', '27.0.0', '28.1.2'])(
    '%s needs no update',
    (version) => {
      expect(newerSecurityRelease(version)).toBeUndefined();
    },
  );

  it.each([
    ['25.9.0', '26.12.1'],
    ['23.11.0', '24.22.1'],
    ['20.20.2', '22.23.4'],
    ['18.0.0', '22.23.4'],
  ])('%s is in a line without fixes, and the next maintained release is named: %s', (version, expected) => {
    expect(newerSecurityRelease(version)).toBe(expected);
  });

  it('SemVer 2.0.0 §11 a pre-release comes before its release', () => {
    expect(newerSecurityRelease('24.22.1-rc.1')).toBe('24.22.1');
    expect(newerSecurityRelease('24.23.0-nightly20261201')).toBeUndefined();
  });

  it('the list has one release for each line, in order', () => {
    const lines = SECURITY_RELEASES.map((release) => Number(release.split('.')[0]));
    expect(lines).toEqual([...new Set(lines)].sort((a, b) => a - b));
    for (const release of SECURITY_RELEASES) expect(newerSecurityRelease(release)).toBeUndefined();
  });
});
