/** Owns the text of CHANGELOG.md: it converts the changes in .changeset into the section of a release, and finds sections. */
import { parse } from 'yaml';

interface Change {
  readonly bump: 'major' | 'minor' | 'patch';
  readonly text: string;
}

const GROUPS: readonly (readonly [heading: string, has: (change: Change) => boolean])[] = [
  ['Breaking', ({ bump, text }) => bump === 'major' || /^breaking:/i.test(text)],
  ['Added and changed', ({ bump }) => bump === 'minor'],
  ['Fixed', () => true],
];

/** @returns the change in a file of .changeset; undefined if the file names no package or is empty */
export function parseChange(file: string): Change | undefined {
  const [, head = '', text = ''] = /^---\n([\s\S]*?)\n?---\n([\s\S]*)$/.exec(file) ?? [];
  const bumps = Object.values<string>(parse(head) ?? {});
  const bump = (['major', 'minor', 'patch'] as const).find((one) => bumps.includes(one));
  return bump && text.trim() ? { bump, text: text.trim() } : undefined;
}

/** @returns the section of a release, with its changes below *Breaking*, *Added and changed* and *Fixed* */
export function releaseSection(version: string, changes: readonly Change[]): string {
  const groupOf = (change: Change) => GROUPS.find(([, has]) => has(change))?.[0];
  const groups = GROUPS.map(([heading]) => {
    const texts = changes.filter((change) => groupOf(change) === heading).map(({ text }) => text);
    const items = texts.map((text) => `- ${text.replace(/^breaking:\s*/i, '').replace(/\n(?=.)/g, '\n  ')}`);
    return items.length > 0 ? `### ${heading}\n\n${items.join('\n')}\n` : '';
  });
  return [`## ${version}\n`, ...groups.filter(Boolean)].join('\n');
}

/** @returns the changelog with a new section before the existing ones */
export function withSection(changelog: string, section: string): string {
  const first = changelog.search(/^## /m);
  const at = first === -1 ? changelog.length : first;
  return `${changelog.slice(0, at)}${section}\n${changelog.slice(at)}`;
}

/** @returns the text under the heading of a version, without the heading; undefined if there is none */
export function sectionOf(version: string, changelog: string): string | undefined {
  const [, ...sections] = changelog.split(/^## /m);
  const section = sections.find((text) => text.startsWith(`${version}\n`));
  return section?.slice(version.length).trim() || undefined;
}
