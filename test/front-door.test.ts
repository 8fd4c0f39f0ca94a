/**
 * Proves that what a newcomer reads first is true: workflows run scripts that exist, llms.txt lists every page,
 * versions agree.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { sectionOf } from '../scripts/release/changelog.ts';
import { releaseNotes } from '../scripts/release/notes.ts';
import { unitTests } from './support/unit-tests.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const manifest = JSON.parse(read('package.json'));
/** Where test/support/accessibility.ts writes them. */
const SCREENSHOTS = 'test/.screenshots';
const scripts = new Set(Object.keys(manifest.scripts));

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job extends Step {
  readonly steps?: readonly Step[];
  readonly 'timeout-minutes'?: number;
}
interface Workflow {
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** The scripts of package.json that a text calls. */
const called = (text: string) =>
  [...text.matchAll(/\bnpm run (?:-s )?([a-z][\w:-]*)|\bnpm (test)\b/g)].map(([, name, test]) => name ?? test ?? '');

describe('workflows', () => {
  const paths = globSync('.github/workflows/*.yml', { cwd: ROOT });
  const workflows = paths.map((path) => [path, parse(read(path)) as Workflow] as const);

  it('there is a workflow for a push, for the night and for a release', () => {
    expect(paths.map((path) => path.replace(/.*\//, '')).sort()).toEqual(['check.yml', 'nightly.yml', 'release.yml']);
  });

  it.each(workflows)('%s has read access by default and a time limit for each job', (_, workflow) => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(workflow.concurrency).toBeDefined();
    for (const { uses, 'timeout-minutes': timeout } of Object.values(workflow.jobs)) {
      if (!uses) expect(timeout).toBeGreaterThan(0);
    }
  });

  it.each(workflows)('%s runs commands that exist, with actions pinned by commit', (_, { jobs }) => {
    const steps = Object.values(jobs).flatMap((job): readonly Step[] => [job, ...(job.steps ?? [])]);
    for (const { uses = '', run = '' } of steps) {
      for (const name of called(run)) expect(scripts, run).toContain(name);
      for (const [path] of run.matchAll(/(?<![\w/])\.ci\/[\w.-]+/g))
        expect(existsSync(join(ROOT, path)), path).toBe(true);
      if (uses.startsWith('./')) expect(existsSync(join(ROOT, uses)), uses).toBe(true);
      else if (uses) expect(uses).toMatch(/@[\da-f]{40}$/);
    }
  });

  it.each(workflows)(
    'each job of %s that runs all tests keeps their screenshots, also when a test fails',
    (path, { jobs }) => {
      const testing = Object.values(jobs).flatMap(({ steps = [] }) => {
        const at = steps.findIndex(({ run = '' }) => /^npm test$|^\.ci\/run$/.test(run));
        return at < 0 ? [] : [steps.slice(at + 1)];
      });
      if (!path.endsWith('release.yml')) expect(testing).toHaveLength(1);
      for (const after of testing) {
        const upload = after.find(({ uses = '' }) => uses.startsWith('actions/upload-artifact@'));
        // A folder that begins with a dot is left out by default.
        expect(upload).toMatchObject({ if: 'always()', with: { path: SCREENSHOTS, 'include-hidden-files': true } });
      }
    },
  );

  it.each(['CONTRIBUTING.md', '.githooks/pre-push', '.ci/run', 'docs/releases.md'])(
    '%s names scripts that exist',
    (path) => {
      for (const name of called(read(path))) expect(scripts, name).toContain(name);
    },
  );
});

describe('forms', () => {
  it.each(globSync('.github/{dependabot,ISSUE_TEMPLATE/*}.yml', { cwd: ROOT }))('%s can be parsed as YAML', (path) => {
    expect(parse(read(path))).toBeTypeOf('object');
  });
});

describe('llms.txt', () => {
  const links = [...read('llms.txt').matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link);

  it('llms.txt links to files that exist, each once', () => {
    expect(links.filter((link = '') => !existsSync(join(ROOT, link.replace(/#.*/, ''))))).toEqual([]);
    expect(links).toEqual([...new Set(links)]);
  });

  it('llms.txt lists every page of the documentation', () => {
    expect(links).toEqual(expect.arrayContaining(globSync('docs/**/*.md', { cwd: ROOT })));
  });
});

describe('the version', () => {
  it('every package and the Dockerfile have the same version, and the changelog has its section', () => {
    const { version, workspaces } = manifest;
    for (const path of workspaces) expect(JSON.parse(read(`${path}/package.json`)).version, path).toBe(version);
    expect(read('Dockerfile')).toContain(`ARG VERSION=${version} `);
    expect(sectionOf(version, read('CHANGELOG.md'))).toMatch(/\S/);
  });

  it('the notes of a release need a tag that equals the version in package.json', () => {
    const changelog = '# Changelog\n\n## 1.1.0\n\nNew [page](docs/a.md).\n\n## 1.0.0\n\nOld.\n';
    expect(releaseNotes('v1.1.0', '1.1.0', changelog, 'https://forge.example')).toBe(
      'New [page](https://forge.example/docs/a.md).',
    );
    expect(releaseNotes('v1.0.0', '1.0.0', changelog)).toBe('Old.');
    expect(() => releaseNotes('v1.2.0', '1.1.0', changelog)).toThrow('package.json has version 1.1.0');
    expect(() => releaseNotes('v1.2.0', '1.2.0', changelog)).toThrow('no section "## 1.2.0"');
  });
});

describe('npm run test:unit', () => {
  it('npm run test:unit has tests of every package and none that listens or starts a process', () => {
    const files = unitTests();
    for (const part of ['shared', 'auth-server', 'mcp-server', 'scripts']) {
      expect(files.filter((path) => path.startsWith(`${part}/`)).length, part).toBeGreaterThan(1);
    }
    expect(files).not.toContain('test/front-door.test.ts');
    expect(files).not.toContain('mcp-server/test/http/body.test.ts');
  });
});

describe('scripts in bash', () => {
  it.each(globSync(['.ci/*', '.githooks/*', 'tools/*.sh'], { cwd: ROOT }))('%s has no syntax error', (path) => {
    execFileSync('bash', ['-n', join(ROOT, path)]);
  });
});
