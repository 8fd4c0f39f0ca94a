/** Proves that the bill of materials of the release is complete, and that its licences allow our use. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const cwd = fileURLToPath(new URL('..', import.meta.url));

interface Locked {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly devDependencies?: Readonly<Record<string, string>>;
}
const { packages } = JSON.parse(readFileSync(`${cwd}package-lock.json`, 'utf8'));
const installed = Object.entries<Locked>(packages)
  .filter(([path, { link }]) => path.includes('node_modules/') && !link)
  .map(([path, entry]) => ({ ...entry, name: entry.name ?? path.replace(/.*node_modules\//, '') }));
const shipped = installed.filter(({ dev }) => !dev);
const purl = ({ name, version }: Locked) => `pkg:npm/${name?.replace('@', '%40')}@${version}`;

interface Bill {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string } };
  readonly components: readonly { readonly purl: string; readonly licenses?: unknown }[];
}

function bill(...args: readonly string[]): Bill {
  const { stdout, status } = spawnSync('npm', ['run', '-s', 'sbom', '--', ...args], { cwd, encoding: 'utf8' });
  expect(status).toBe(0);
  return JSON.parse(stdout);
}
const purls = ({ components }: Bill) =>
  components
    .map((component) => component.purl)
    .filter((one) => !one.startsWith('pkg:npm/%40mcp-oauth/'))
    .sort();

describe('npm run sbom', () => {
  it('the SBOM names every package of the lockfile that ships, and no development package', () => {
    const whole = bill();
    expect(whole).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'mcp-oauth-server' } } });
    expect(purls(whole)).toEqual([...new Set(shipped.map(purl))].sort());
    expect(purls(whole)).not.toContainEqual(expect.stringContaining('vitest'));
  });

  it("the SBOM of one service names that service's packages", () => {
    const of = purls(bill('--workspace', '@mcp-oauth/mcp-server')).join(' ');
    expect(of).toContain('pkg:npm/%40modelcontextprotocol/sdk@');
    expect(of).not.toContain('pkg:npm/oidc-provider@');
  });
});

describe('package-lock.json', () => {
  it('package-lock.json has the digest of every package, so that the locked package is installed', () => {
    expect(installed.length).toBeGreaterThan(300);
    expect(installed.filter(({ integrity }) => !/^sha512-/.test(integrity ?? '')).map(({ name }) => name)).toEqual([]);
  });

  it('package-lock.json names no registry, so that everybody uses their own', () => {
    expect(installed.filter(({ resolved }) => resolved !== undefined).map(({ name }) => name)).toEqual([]);
  });
});

describe('an image', () => {
  // npm also installs development dependencies that another service needs at run time: no `--omit` excludes them.
  it('the image of a service has none of its development dependencies', () => {
    for (const [path, { devDependencies = {} }] of Object.entries<Locked>(packages)) {
      if (path === '' || path.includes('node_modules/')) continue;
      const brought = shipped.filter(({ name }) => name in devDependencies).map(({ name }) => name);
      expect(brought, `${path} has them for development: put them into the package.json above`).toEqual([]);
    }
  });
});

describe('licences', () => {
  const FREE = new Set([
    'MIT',
    'ISC',
    'BSD-2-Clause',
    'BSD-3-Clause',
    'Apache-2.0',
    '0BSD',
    'CC0-1.0',
    'BlueOak-1.0.0',
  ]);
  /** `(A OR B)` needs one accepted licence, `A AND B` needs both. */
  const isFree = (licence = ''): boolean =>
    licence
      .replace(/[()]/g, '')
      .split(' OR ')
      .some((choice) => choice.split(' AND ').every((one) => FREE.has(one)));

  it('every shipped licence permits any use', () => {
    expect(shipped.length).toBeGreaterThan(100);
    expect(shipped.filter(({ license }) => !isFree(license)).map(({ name, license }) => `${name}: ${license}`)).toEqual(
      [],
    );
  });

  it.each(['GPL-3.0-only', 'AGPL-3.0-or-later', 'MIT AND GPL-2.0-only', 'SEE LICENSE IN LICENSE', undefined])(
    'the licence %s is not accepted',
    (licence) => expect(isFree(licence)).toBe(false),
  );
});
