/**
 * Owns `npm run base-images`: it checks that the base images are at least as new as deploy/base-images.json requires. It asks the
 * Docker engine, prints the digest of each image for the release notes, and exits with 1 if one is too old or missing.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';

interface BaseImage {
  readonly minimum: string;
  /** Why older versions are not accepted. */
  readonly reason: string;
  /** The command that prints the version, in a container of the image. */
  readonly version: readonly string[];
}

export const baseImages: Readonly<Record<string, BaseImage>> = JSON.parse(
  readFileSync(new URL('../../deploy/base-images.json', import.meta.url), 'utf8'),
);

/** @returns the first `x.y.z` in the version output of a program */
export const versionIn = (said: string): string | undefined => /\d+\.\d+\.\d+/.exec(said)?.[0];

export function isAtLeast(version: string, minimum: string): boolean {
  const [left, right] = [version, minimum].map((text) => text.split('.').map(Number));
  const first = (left ?? []).findIndex((number, index) => number !== right?.[index]);
  return first === -1 || Number(left?.[first]) > Number(right?.[first]);
}

const docker = (...words: readonly string[]) => spawnSync('docker', words, { encoding: 'utf8' });

function verdictOn(image: string, { minimum, reason, version: [program = '', ...words] }: BaseImage) {
  const flags = ['--rm', '--network', 'none', '--entrypoint', program];
  const { status, stdout, stderr } = docker('run', ...flags, image, ...words);
  const version = versionIn(stdout + stderr);
  if (status !== 0 || !version) return { good: false, line: `${image}: could not be checked: ${stderr.trim()}` };
  const digest = docker('image', 'inspect', '--format', '{{join .RepoDigests " "}}', image).stdout.trim();
  return isAtLeast(version, minimum)
    ? { good: true, line: `${image}: ${version} ${digest || '(built here: no digest)'}` }
    : { good: false, line: `${image}: ${version} is older than ${minimum}: ${reason}` };
}

export function judgeBaseImages(): { readonly good: boolean; readonly lines: readonly string[] } {
  const verdicts = Object.entries(baseImages).map(([image, wanted]) => verdictOn(image, wanted));
  return { good: verdicts.every(({ good }) => good), lines: verdicts.map(({ line }) => line) };
}

if (import.meta.main) {
  const { good, lines } = judgeBaseImages();
  for (const line of lines) process.stdout.write(`${line}\n`);
  process.exitCode = good ? 0 : 1;
}
