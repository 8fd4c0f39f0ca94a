/**
 * Runs `npm run release:notes -- v1.2.3 [BASE]`: prints the section of CHANGELOG.md as the notes of a release, with links that begin
 * at BASE. Ends with 1 where the tag is not the version in package.json, or the changelog has no section for it.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { sectionOf } from './changelog.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** @throws Error where the tag cannot be released */
export function releaseNotes(tag: string, version: string, changelog: string, base = ''): string {
  if (tag !== `v${version}`) throw new Error(`the tag is ${tag}, but package.json has version ${version}`);
  const section = sectionOf(version, changelog);
  if (!section) throw new Error(`CHANGELOG.md has no section "## ${version}"`);
  return base ? section.replace(/\]\((?!https?:)/g, `](${base}/`) : section;
}

if (import.meta.main) {
  try {
    const [tag = '', base] = process.argv.slice(2);
    const { version } = JSON.parse(read('package.json'));
    process.stdout.write(`${releaseNotes(tag, version, read('CHANGELOG.md'), base)}\n`);
  } catch (error) {
    process.stderr.write(`release:notes: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
