/**
 * Owns `npm run release:notes -- v1.2.3 [BASE]`: it prints the section of CHANGELOG.md as release notes, with links relative to BASE.
 * It exits with 1 if the tag is not the version in package.json, or if the changelog has no section for it.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { sectionOf } from './changelog.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** @throws Error if the tag cannot be released */
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
