/**
 * Proves what an image contains: what its service needs at run time and nothing that was needed only for the build, no
 * rights, and labels that name its source; and that it is rebuilt quickly after a change of the sources.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeBaseImages } from '../../scripts/release/base-images.ts';
import { Composed } from './composed.ts';
import { print } from './figures.ts';

const SERVICES = ['mcp-server', 'auth-server', 'development-idp'];

/** Megabytes over the base image. */
const LIMIT = 120;
/** Seconds. */
const REBUILT_WITHIN = 5;
/** Retried, since other load on the machine can make one build slow. */
const TRIES = 3;

interface Image {
  readonly Size: number;
  readonly Config: {
    readonly User: string;
    readonly Labels: Readonly<Record<string, string>>;
    readonly Healthcheck?: { readonly StartInterval?: number };
    readonly Env: readonly string[];
  };
}

describe('an image', () => {
  const composed = new Composed('mcp-oauth-images');
  const image = async (name: string): Promise<Image> => JSON.parse(await composed.docker('image', 'inspect', name))[0];
  const of = (service: string) => `${composed.project}-${service}`;
  const within = (service: string, line: string) =>
    composed.docker(
      'run',
      '--rm',
      '--network',
      'none',
      '--read-only',
      '--cap-drop',
      'ALL',
      of(service),
      'sh',
      '-c',
      line,
    );

  beforeAll(async () => {
    await composed.sh('docker compose build');
  }, 300_000);
  afterAll(async () => {
    await composed[Symbol.asyncDispose]();
    await composed.attempt(`docker rmi ${SERVICES.map(of).join(' ')}`);
  }, 120_000);

  it('an image is small, runs as an unprivileged user, and has labels', async () => {
    const base = await image('node:24-slim');
    const added: string[] = [];
    for (const service of SERVICES) {
      const { Size, Config } = await image(of(service));
      const megabytes = (Size - base.Size) / 1e6;
      added.push(`${service} ${megabytes.toFixed(0)} MB`);
      expect(megabytes, service).toBeLessThan(LIMIT);
      expect(Config.User).toBe('node');
      expect(Config.Healthcheck?.StartInterval, 'is asked often while it starts').toBe(1e9);
      expect(Config.Labels).toMatchObject({
        'org.opencontainers.image.title': `mcp-oauth-${service}`,
        'org.opencontainers.image.version': expect.stringMatching(/^\d+\.\d+\.\d+$/),
        'org.opencontainers.image.licenses': 'MIT',
        'org.opencontainers.image.base.name': 'docker.io/library/node:24-slim',
      });
      expect(Config.Env.join('\n')).not.toMatch(/SECRET|PASSWORD|KEY|TOKEN/i);
    }
    print('images, over node:24-slim', added.join(', '));
  });

  it('the versions of the base images are known; an old one is a warning here and prevents a release', () => {
    const { lines } = judgeBaseImages();
    for (const line of lines) {
      expect(line).toMatch(/: \d+\.\d+\.\d+ /);
      print('base image', line);
    }
  });

  it.each(SERVICES)('the image of %s has no development package, no test and no settings', async (service) => {
    const lock: { packages: Record<string, { dev?: boolean; link?: boolean }> } = JSON.parse(
      readFileSync(join(composed.folder, 'package-lock.json'), 'utf8'),
    );
    const development = Object.entries(lock.packages)
      .filter(([path, { dev }]) => dev && path)
      .map(([path]) => path);
    expect(development.length).toBeGreaterThan(20);
    const files = (await within(service, 'cd /app && find . -name node_modules -prune -o -print')).split('\n');
    // At the top and in each package: the scripts for Redis in src/ belong to the service.
    const unwanted = /^\.\/([^/]+\/)?(test|testing|docs|deploy|scripts)(\/|$)|\.env|\.git|\.md$/;
    expect(files.filter((path) => unwanted.test(path))).toEqual([]);
    const others = SERVICES.filter((other) => other !== service);
    expect(files.filter((path) => others.some((other) => path.startsWith(`./${other}/src`)))).toEqual([]);
    const present = await within(service, 'cd /app && ls -d node_modules/* node_modules/@*/* 2>/dev/null; true');
    expect(present.split('\n').filter((path) => development.includes(path))).toEqual([]);
    expect(await within(service, 'id -u; touch /app/x 2>&1; true')).toMatch(/^1000\ntouch: .*(Read-only|denied).*$/);
  });

  it.each(SERVICES)(
    'the image of %s has what Node.js compiles of it, which its service can read and not change',
    async (service) => {
      const loaded = 'NODE_DEBUG_NATIVE=COMPILE_CACHE timeout 2 node src/main.ts 2>&1';
      const read = `${loaded} | sed -n 's/.*reading cache from .* for .* file:.*src.main.ts.*success.*/read/p' | sort -u`;
      expect(await within(service, read)).toBe('read');
      expect(await within(service, 'test -w $NODE_COMPILE_CACHE/*/ || echo kept')).toBe('kept');
    },
  );

  it.each(SERVICES)('the image of %s runs the doctor, as docs/doctor.md says', async (service) => {
    expect(await within(service, 'node ../client/src/main.ts doctor --help')).toMatch(/^Usage: client doctor /);
  });

  it('an image is rebuilt quickly after a change of the sources', async () => {
    const taken: number[] = [];
    while (taken.length < TRIES && !taken.some((seconds) => seconds < REBUILT_WITHIN)) {
      for (const service of ['mcp-server', 'auth-server']) {
        appendFileSync(join(composed.folder, service, 'src/main.ts'), `// ${process.hrtime.bigint()}\n`);
      }
      taken.push(await composed.timed('docker compose build'));
    }
    expect(Math.min(...taken)).toBeLessThan(REBUILT_WITHIN);
    print('rebuilt after a change', `both services in ${Math.min(...taken).toFixed(1)} s`);
  });
});
