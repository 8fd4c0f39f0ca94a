/** Owns the rules of the house as pure functions: source files in, violations out, in words that tell what to do. */
import { dirname } from 'node:path';
import { LAYERS } from './layers.ts';
import type { SourceFile } from './source.ts';

export type Rule = (files: readonly SourceFile[]) => readonly string[];

const DOMAIN =
  /^(auth-server\/src\/(personal-tokens|administration|connecting|exchange|federation|keys|branding|consent|provisioning|languages|resources|clients|registration|client-documents|revocation)|mcp-server\/src\/(allowance|authorization|keys|sessions))\//;
const DOMAIN_LIBRARIES = new Set(['jose', 'zod']);

const place = (path: string) => {
  const [, service = '', folder = '.'] = /^([^/]+)\/src\/(?:([^/]+)\/)?/.exec(path) ?? [];
  return { service, folder };
};

/** What starts a service and joins its folders. */
const OUTERMOST = ['.', 'compose'];

/** An import may only point down the onion; nothing imports the other service, and nothing that runs imports what tests need. */
export const layers: Rule = (files) =>
  files.flatMap(({ path, imports }) => {
    const forTests = imports.filter(({ target }) => path.includes('/src/') && target.startsWith('shared/testing/'));
    if (forTests.length > 0) return forTests.map(({ target }) => `${path} imports ${target}, which no image has`);
    const from = place(path);
    if (OUTERMOST.includes(from.folder) && from.service !== 'shared') {
      return imports
        .filter(({ target }) => isForeign(from.service, target))
        .map(({ target }) => `${path} imports ${target}`);
    }
    const allowed = LAYERS[`${from.service}/${from.folder}`];
    return imports
      .filter(({ target }) => target.includes('/src'))
      .filter(({ target }) => {
        const to = place(target);
        if (isForeign(from.service, target)) return true;
        if (to.service === 'shared' || to.folder === from.folder) return false;
        const inside = target.slice(`${to.service}/src/`.length);
        return !allowed?.some((entry) => entry === to.folder || entry === inside);
      })
      .map(({ target }) => `${path} imports ${target}, which stands above it or in another house`);
  });

/** Folders that serve different requests: what two of them need stands above both. */
const APART: readonly (readonly string[])[] = [
  ['mcp-server/src/http/mcp/', 'mcp-server/src/http/documents/'],
  ['mcp-server/src/protocol/sessionful/', 'mcp-server/src/protocol/stateless/'],
];

/** Folders that are kept apart do not import each other. */
export const apart: Rule = (files) =>
  APART.flatMap((folders) =>
    files.flatMap(({ path, imports }) => {
      const own = folders.find((folder) => path.startsWith(folder));
      const others = folders.filter((folder) => own !== undefined && folder !== own);
      return imports
        .filter(({ target }) => others.some((folder) => target.startsWith(folder)))
        .map(({ target }) => `${path} imports ${target}: move what both need above both folders`);
    }),
  );

const isForeign = (service: string, target: string): boolean => {
  const owner = /^([^/]+)\/src/.exec(target)?.[1];
  return owner !== undefined && owner !== service && owner !== 'shared';
};

const LIBRARIES: readonly (readonly [RegExp, RegExp])[] = [
  [/^oidc-provider$/, /^(auth-server\/src\/provider|development-idp\/src)\//],
  [/^@modelcontextprotocol\//, /^(mcp-server\/src\/protocol|client\/src\/(enterprise|sign-in|terminal))\//],
  [/^openid-client$/, /^auth-server\/src\/connectors\//],
  [/^ioredis$/, /^(shared\/(src\/redis\/ready|(src|testing)\/redis)\.ts|[^/]+\/src\/storage\/)/],
  [/^node:sqlite$/, /^auth-server\/src\/storage\//],
];

/** A library is known to one folder; koa as a value only to http/ and the engine; the domain knows almost none. */
export const libraries: Rule = (files) =>
  files.flatMap(({ path, imports }) =>
    imports.flatMap(({ target, typeOnly }) => {
      if (target.includes('/src')) return [];
      const wrong = LIBRARIES.some(([name, home]) => name.test(target) && !home.test(path));
      const koa = /^(koa|@koa\/.*|koa-body)$/.test(target);
      const koaHome = /\/src\/(http|provider)\/|^development-idp\//.test(path) || (typeOnly && !DOMAIN.test(path));
      const domain = DOMAIN.test(path) && !target.startsWith('node:') && !DOMAIN_LIBRARIES.has(target);
      return wrong || domain || (koa && !koaHome) ? [`${path} imports ${target}`] : [];
    }),
  );

/** No file reaches itself through its imports. */
export const cycles: Rule = (files) => {
  const graph = new Map(files.map(({ path, imports }) => [path, imports.map(({ target }) => target)]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
    if (done.has(path) || trail.includes(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
};

/** A file is read in one sitting, a folder at one glance; there are no barrels and no grab-bags. */
export const size: Rule = (files) => {
  // The kinds of connectors stand side by side, one file each: there are as many as there are kinds.
  const counted = files.filter(({ path }) => !path.endsWith('.connector.ts'));
  const folders = Map.groupBy(counted, ({ path }) => dirname(path));
  return [
    ...files
      .filter(({ text }) => text.split('\n').length > 301)
      .map(({ path }) => `${path} is longer than 300 lines: cut it by reason to change`),
    ...files.filter(({ path }) => /\/index\.ts$/.test(path)).map(({ path }) => `${path} is a barrel`),
    ...files
      .filter(({ path }) => /\/(utils?|helpers?|common|services?|managers?|lib)\//.test(path))
      .map(({ path }) => `${path} is in a folder that names no thing of the domain`),
    ...[...folders].filter(([, list]) => list.length > 10).map(([folder]) => `${folder} has more than 10 files`),
  ];
};

/** Each file says first what it owns. */
export const opening: Rule = (files) =>
  files.filter(({ text }) => !text.startsWith('/**')).map(({ path }) => `${path} does not open with what it owns`);

const FORBIDDEN: readonly (readonly [RegExp, RegExp, string])[] = [
  [/\bprocess\.env\b/, /shared\/src\/service\.ts$/, 'the environment is read in one place alone'],
  [/\bprocess\.exit\b/, /shared\/src\/service\.ts$/, 'only the life cycle ends a process'],
  [/\b(Date\.now|Math\.random)\(|new Date\(\)/, /shared\/src\/clock\.ts$/, 'time and randomness are arguments'],
  [
    /(?<!typeof )\bglobalThis\.fetch\b/,
    /(?!)/,
    'shared/src/network/outgoing-fetch.ts asks others, and decodes nothing',
  ],
  [
    /\bctx\??\.state\b/,
    /^(?!auth-server\/)|\/context-state\.ts$/,
    'context-state.ts types what a request carries across the engine',
  ],
  [
    /\.(writeHead|setHeader)\(/,
    /^(?!mcp-server\/src\/(http|protocol)\/)/,
    'shared/src/http/answer.ts writes answers, with the headers that every answer has',
  ],
  [/^export default/m, /\.(tool|resource|prompt|connector)\.ts$/, 'only discovered modules export a default'],
];

/** What the project has once, and where. */
const ONCE: readonly (readonly [what: RegExp, home: string])[] = [
  [/\.addSubnet\(/, 'shared/src/network/address-ranges.ts'],
  [/\btimingSafeEqual\(/, 'shared/src/crypto/constant-time.ts'],
  [/\^\[\\x21\\x23-\\x5b\\x5d-\\x7e\]/, 'shared/src/contract.ts'],
  // A number in a comment is not a code.
  [/^[^*\n]*-32\d{3}\b/m, 'shared/src/json-rpc-codes.ts'],
  [/\bcreate(C|Dec)ipheriv\(/, 'shared/src/crypto/aes-gcm.ts'],
];

/** A second list, comparison or code for the same thing would not change together with the first. */
export const once: Rule = (files) =>
  files.flatMap(({ path, text }) =>
    ONCE.filter(([what, home]) => what.test(text) && home !== path).map(
      ([what, home]) => `${path} has ${what}: use ${home}`,
    ),
  );

/** A callback whose caller drops its promise. The lint rules noFloatingPromises and noVoid find the other forms. */
const DROPPED =
  /\b(on|once|addListener|addEventListener)\(\s*[^,()]+,\s*async\b|\b(set(Timeout|Interval|Immediate)|queueMicrotask|nextTick)\(\s*async\b/;

/** A rejection that nobody handles ends the process. */
export const handled: Rule = (files) =>
  files
    .filter(({ text }) => DROPPED.test(text))
    .map(({ path }) => `${path}: nobody waits for an async callback: end its promise with a catch`);

/** Ambient things stay at the rim. */
export const ambient: Rule = (files) =>
  files.flatMap(({ path, text }) =>
    FORBIDDEN.filter(([pattern, home]) => pattern.test(text) && !home.test(path)).map(([, , why]) => `${path}: ${why}`),
  );
