/** Ensures that the changes in .changeset become the section of a release, each below the right heading. */
import { describe, expect, it } from 'vitest';
import { parseChange, releaseSection, sectionOf, withSection } from '../release/changelog.ts';

const file = (bump: string, text: string) => `---\n"@mcp-oauth/mcp-server": ${bump}\n---\n\n${text}\n`;
const change = (bump: string, text: string) => {
  const parsed = parseChange(file(bump, text));
  if (!parsed) throw new Error('no change');
  return parsed;
};

describe('a file in .changeset', () => {
  it('a change has the highest bump of its packages', () => {
    const text = '---\n"@mcp-oauth/shared": patch\n"@mcp-oauth/auth-server": minor\n---\n\nA new setting.\n';
    expect(parseChange(text)).toEqual({ bump: 'minor', text: 'A new setting.' });
  });

  it.each(['# Changes\n\n---\n"a": minor\n---\n', '---\n---\n\nNothing.\n', '---\n"a": minor\n---\n'])(
    'a file without packages or without text is no change: %j',
    (text) => expect(parseChange(text)).toBeUndefined(),
  );
});

describe('a section of the changelog', () => {
  const changes = [
    change('patch', 'A stream ends.'),
    change('minor', 'Breaking: `OLD` is gone.\nSet `NEW`.'),
    change('minor', 'A tool has a limit.'),
  ];

  it('a section has breaks first, then additions, then corrections', () => {
    expect(releaseSection('0.3.0', changes)).toBe(
      '## 0.3.0\n\n### Breaking\n\n- `OLD` is gone.\n  Set `NEW`.\n\n' +
        '### Added and changed\n\n- A tool has a limit.\n\n### Fixed\n\n- A stream ends.\n',
    );
  });

  it('a new section stands before the old ones and is found by its version', () => {
    const changelog = withSection('# Changelog\n\n## 0.2.0\n\nOld.\n', '## 0.3.0\n\nNew.\n');
    expect(changelog).toBe('# Changelog\n\n## 0.3.0\n\nNew.\n\n## 0.2.0\n\nOld.\n');
    expect(sectionOf('0.3.0', changelog)).toBe('New.');
    expect(sectionOf('0.2.0', changelog)).toBe('Old.');
    expect(sectionOf('0.3', changelog)).toBeUndefined();
  });
});
