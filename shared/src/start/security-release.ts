/**
 * Owns which releases of Node.js have all security fixes that this version of the server knows, for the warning at start on an older
 * one.
 */

/**
 * Security releases of 2026-10-21 (CVE-2026-111497: out-of-bounds write in the Brotli decoder; CVE-2026-105482, -105483, -106069:
 * names in DNS and TLS). https://nodejs.org/en/blog/vulnerability/october-2026-security-releases
 */
export const SECURITY_RELEASES: readonly string[] = ['22.23.4', '24.22.1', '26.12.1'];

type Version = readonly [major: number, minor: number, patch: number];

/**
 * @param version as in `process.versions.node`
 * @returns the oldest release with all fixes; undefined if this release has them or is newer
 */
export function newerSecurityRelease(version: string): string | undefined {
  const running = parse(version);
  const known = SECURITY_RELEASES.map((text) => ({ text, release: parse(text) }));
  const sameLine = known.find(({ release }) => release[0] === running[0]);
  if (sameLine) return isBefore(running, sameLine.release, version.includes('-')) ? sameLine.text : undefined;
  // A release line that is not in the list gets no fixes any more, or did not exist yet.
  return known.find(({ release }) => release[0] > running[0])?.text;
}

function parse(version: string): Version {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  return [Number(major ?? 0), Number(minor ?? 0), Number(patch ?? 0)];
}

/** A pre-release comes before the release of the same number (SemVer 2.0.0 §11). */
function isBefore(one: Version, other: Version, isPreRelease: boolean): boolean {
  const difference = one.map((part, index) => part - (other[index] ?? 0)).find((part) => part !== 0) ?? 0;
  return difference < 0 || (difference === 0 && isPreRelease);
}
