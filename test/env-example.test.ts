/** Proves that .env.example and the settings that the pages show give what they show, in .env as in a shell. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { settings as authServer } from '../auth-server/src/config.ts';
import { settings as developmentIdp } from '../development-idp/src/config.ts';
import { settings as mcpServer } from '../mcp-server/src/config.ts';

const ROOT = new URL('..', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const text = read('.env.example');
const lines = [...text.matchAll(/^#([A-Z]\w*=.*)$/gm)].map(([, line = '']) => line);
const declared = new Map(
  [developmentIdp, authServer, mcpServer]
    .flatMap((settings) => Object.values<{ env: string; example?: string; default?: string }>(settings))
    .map(({ env, example, default: usual }) => [env, example ?? usual ?? '']),
);
const others = ['CONNECTORS', 'TYPE', 'NAME', 'ISSUER', 'CLIENT_ID', 'CLIENT_SECRET', 'ALLOW', 'SCOPE_RULES'];

describe('.env.example', () => {
  it.each(lines.map((line) => [line]))('%s gives the value that it shows, once it is uncommented', (line) => {
    const [[name = '', value] = []] = Object.entries(parseEnv(line));
    if (others.includes(name.replace('CONNECTOR_ACME_', ''))) expect(value).toBe(line.slice(name.length + 1));
    else expect(value).toBe(declared.get(name));
  });

  it('its texts are plain: no link in Markdown, and each page of docs that it names is there', () => {
    expect(text).not.toMatch(/\]\(/);
    const named = [...text.matchAll(/\bdocs\/[\w./-]+\.md/g)].map(([page]) => page);
    expect(named).toContain('docs/existing-issuers/metadata-from-here.md');
    expect(named.filter((page) => !existsSync(new URL(page, ROOT)))).toEqual([]);
  });
});

/** An assignment that a shell, Node.js and compose read alike. */
const PLAIN = /^[A-Z]\w*=(?:'[^'\n]*'|[\p{L}\d_./:@,+=*…-]*)(?:\s+#.*)?$/u;
const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT })].sort();

describe('the settings that a page shows', () => {
  it.each(pages)('%s shows settings that a shell, Node.js and compose read alike', (page) => {
    const blocks = [...read(page).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block.trim());
    const settings = blocks.map((block) => block.split('\n')).filter((lines) => lines.every(isSetting));
    expect(settings.flat().filter((line) => !PLAIN.test(line))).toEqual([]);
  });
});

/** Not the variables of a command. */
const isSetting = (line: string): boolean => /^[A-Z]\w*=/.test(line) && !/ (?:npm|node|docker) /.test(line);
